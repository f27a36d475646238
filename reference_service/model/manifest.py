"""The manifest: what an artifact says of itself, written by a pipeline and read by the service."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import (
    Field,
    FiniteFloat,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from reference_service.documents import Part, SemVer, Sha256

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
"""Also the name of the artifact's folder, and a part of its image's tag."""

Probability = Annotated[float, Field(ge=0, le=1)]
"""Of one class."""

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A plain name inside the artifact folder: no path, so a manifest can't point outside of it."""


TensorType = Literal["float32", "uint8", "int64"]
"""An element of an input tensor."""

RANGES: Mapping[TensorType, tuple[float, float]] = {
    "float32": (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max)),
    "uint8": (0, 2**8 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
"""The least and the greatest finite value of each element type; those of integers are exact."""


class Feature(Part):
    """A quantity of each row, with its range in training: a column of the input, or a summary of it."""

    name: str = Field(min_length=1, max_length=128)
    meaning: str
    unit: str
    training_min: FiniteFloat
    training_max: FiniteFloat

    @model_validator(mode="after")
    def _range_has_a_direction(self) -> Self:
        if self.training_min > self.training_max:
            raise ValueError(f"training_min {self.training_min} is above training_max {self.training_max}")
        return self


class FeaturesInput(Part):
    """A table: the one input has shape `[batch, len(features)]`, columns in the order of `features`.

    A request names each value of a row.
    """

    kind: Literal["features"]
    name: str
    dtype: Literal["float32"]
    shape: tuple[Literal["batch"], PositiveInt]
    features: tuple[Feature, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _shape_is_that_of_the_features(self) -> Self:
        names = {feature.name for feature in self.features}
        if not self.shape[1] == len(self.features) == len(names):
            raise ValueError(f"shape {self.shape} for {len(names)} differently named features")
        return self

    @property
    def observed(self) -> tuple[Feature, ...]:
        """What is compared with training for each row: every feature."""
        return self.features


class TensorInput(Part):
    """A tensor of any rank, an image for instance: each row is an array of shape `shape[1:]`.

    A request gives it as nested lists, or as the base64 of its raw little-endian bytes in C order. Values
    from `minimum` to `maximum` are accepted. `summaries` are `mean` and `std`, each of all values of a row
    (the standard deviation is that of a population).
    """

    kind: Literal["tensor"]
    name: str
    dtype: TensorType
    shape: tuple[Literal["batch"] | PositiveInt, ...] = Field(min_length=2)
    minimum: int | FiniteFloat
    maximum: int | FiniteFloat
    meaning: str
    unit: str
    summaries: tuple[Feature, Feature]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.shape[0] != "batch" or "batch" in self.shape[1:]:
            raise ValueError(f"shape {self.shape}: the first dimension, and no other, is 'batch'")
        whole = self.dtype != "float32"
        if whole and not (isinstance(self.minimum, int) and isinstance(self.maximum, int)):
            raise ValueError(f"minimum and maximum of {self.dtype} are whole numbers")
        low, high = RANGES[self.dtype]
        if not low <= self.minimum <= self.maximum <= high:
            raise ValueError(f"minimum {self.minimum} to maximum {self.maximum} is no range of {self.dtype}")
        if [summary.name for summary in self.summaries] != ["mean", "std"]:
            raise ValueError("summaries are mean and std, in this order")
        return self

    @property
    def observed(self) -> tuple[Feature, ...]:
        """What is compared with training for each row: its mean and its standard deviation."""
        return self.summaries

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        return tuple(size for size in self.shape if isinstance(size, int))


Input = Annotated[FeaturesInput | TensorInput, Field(discriminator="kind")]
"""The model's one input."""


class LabelTensor(Part):
    """The predicted class of each row, shape `[batch]`."""

    name: str
    dtype: Literal["string"]
    shape: tuple[Literal["batch"]]
    meaning: str


class ProbabilityTensor(Part):
    """The probabilities of each row, shape `[batch, len(classes)]`, columns in the order of `classes`."""

    name: str
    dtype: Literal["float32"]
    shape: tuple[Literal["batch"], PositiveInt]
    classes: tuple[str, ...] = Field(min_length=2)
    meaning: str
    unit: str

    @model_validator(mode="after")
    def _shape_is_that_of_the_classes(self) -> Self:
        if not self.shape[1] == len(self.classes) == len(set(self.classes)):
            raise ValueError(f"shape {self.shape} for the classes {self.classes}")
        return self


class Outputs(Part):
    """The model's outputs.

    A model without a label of its own, as one for a GPU, which has no strings, is labelled by its largest
    probability, the first of equal ones.
    """

    label: LabelTensor | None = None
    probabilities: ProbabilityTensor


class Expected(Part):
    """What the training pipeline answered for the sample."""

    label: str
    probabilities: dict[str, Probability]


class EncodedTensor(Part):
    """One row of a tensor: the base64 of its raw little-endian bytes in C order."""

    base64: str


class Sample(Part):
    """One input with the answer it must get, within `atol` for each probability."""

    input: EncodedTensor | dict[str, FiniteFloat]
    expected: Expected
    atol: float = Field(gt=0)


class Serving(Part):
    """How the artifact is best served.

    `micro_batch_rows` is the most rows of waiting requests that are answered by one run of the model; 1: each
    request has a run of its own. More pays only where a run costs much less for many rows than for each.
    `threads` is how many runs go on at a time, each in a thread; 0: one at a time on the event loop, for a
    model that answers sooner than a thread would take over.
    """

    micro_batch_rows: PositiveInt = 1
    threads: int = Field(default=0, ge=0)


class Budget(Part):
    """What the artifact is expected to need for a single request on one CPU core, as declared."""

    inference_p99_ms: float = Field(gt=0)
    request_p99_ms: float = Field(gt=0)
    memory_mib: PositiveInt


class Dataset(Part):
    """The data the model was trained and evaluated on."""

    name: str
    source: str
    sha256: Sha256
    rows: PositiveInt
    training_rows: PositiveInt
    evaluation_rows: PositiveInt


class Criterion(Part):
    """One line of the acceptance bar: declared before training, observed on the evaluation rows."""

    metric: str
    comparison: Literal["at_least", "at_most"]
    limit: FiniteFloat
    observed: FiniteFloat


class Training(Part):
    """How the model came to be."""

    algorithm: str
    seed: int
    parameters: dict[str, int | float | str]
    libraries: dict[str, str]


class Manifest(Part):
    """Everything a server, a gate or a reader needs to know of an artifact."""

    schema_version: Literal[1]
    name: ModelName
    version: SemVer
    description: str
    created: Annotated[date, Field(strict=True)]
    model_file: FileName
    baseline_file: FileName | None = None
    files: dict[FileName, Sha256]
    input: Input
    outputs: Outputs
    preprocessing: tuple[str, ...]
    sample: Sample
    serving: Serving = Serving()
    budget: Budget
    dataset: Dataset
    acceptance: tuple[Criterion, ...] = Field(min_length=1)
    training: Training

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for member, name in (("model_file", self.model_file), ("baseline_file", self.baseline_file)):
            if name is not None and name not in self.files:
                raise ValueError(f"{member} {name!r} has no checksum in files")
        self._check_sample()
        return self

    def _check_sample(self) -> None:
        """Hold the sample against the declared input and classes."""
        given = self.sample.input
        if isinstance(self.input, TensorInput):
            if not isinstance(given, EncodedTensor):
                raise ValueError("the sample's input is not {'base64': ...}, as that of a tensor is")
        elif isinstance(given, EncodedTensor) or given.keys() != {each.name for each in self.input.features}:
            raise ValueError("the sample's input does not name exactly the features")
        expected = self.sample.expected
        classes = set(self.outputs.probabilities.classes)
        if expected.probabilities.keys() != classes or expected.label not in classes:
            raise ValueError("the sample's expected answer does not name exactly the classes")
