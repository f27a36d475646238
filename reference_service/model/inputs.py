"""The model's one input, as a manifest declares it: a table of named features, or a tensor."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from reference_service.documents import Part

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

    @property
    def training_range(self) -> str:
        """The range in words."""
        return f"{self.training_min:g} to {self.training_max:g} in training"

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
