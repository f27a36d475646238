"""The manifest: what an artifact says of itself, written by a pipeline and read by the service."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    FiniteFloat,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from reference_service.documents import Part, SemVer, Sha256
from reference_service.model.inputs import Input, TensorInput
from reference_service.model.provenance import Criterion, Dataset, Training

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
"""Also the name of the artifact's folder, and a part of its image's tag."""

Probability = Annotated[float, Field(ge=0, le=1)]
"""Of one class."""

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A plain name inside the artifact folder: no path, so a manifest can't point outside of it."""


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
