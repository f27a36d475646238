"""The manifest: what an artifact says of itself, written by a pipeline and read by the service."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveInt,
    StringConstraints,
    model_validator,
)

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hexadecimal."""

SemVer = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")]
"""A semantic version, MAJOR.MINOR.PATCH with optional pre-release and build parts."""

ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
"""Also the name of the artifact's folder, and a part of its image's tag."""

Probability = Annotated[float, Field(ge=0, le=1)]
"""Of one class."""

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A plain name inside the artifact folder: no path, so a manifest can't point outside of it."""


class Part(BaseModel):
    """A frozen part of a document that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Feature(Part):
    """One column of the input tensor."""

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


class InputTensor(Part):
    """The model's one input, shape `[batch, len(features)]`, columns in the order of `features`."""

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
    """The model's outputs."""

    label: LabelTensor
    probabilities: ProbabilityTensor


class Expected(Part):
    """What the training pipeline answered for the sample."""

    label: str
    probabilities: dict[str, Probability]


class Sample(Part):
    """One input with the answer it must get, within `atol` for each probability."""

    input: dict[str, FiniteFloat]
    expected: Expected
    atol: float = Field(gt=0)


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
    files: dict[FileName, Sha256]
    input: InputTensor
    outputs: Outputs
    preprocessing: tuple[str, ...]
    sample: Sample
    budget: Budget
    dataset: Dataset
    acceptance: tuple[Criterion, ...] = Field(min_length=1)
    training: Training

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.model_file not in self.files:
            raise ValueError(f"model_file {self.model_file!r} has no checksum in files")
        features = {feature.name for feature in self.input.features}
        if self.sample.input.keys() != features:
            raise ValueError("the sample's input does not name exactly the features")
        expected = self.sample.expected
        classes = set(self.outputs.probabilities.classes)
        if expected.probabilities.keys() != classes or expected.label not in classes:
            raise ValueError("the sample's expected answer does not name exactly the classes")
        return self
