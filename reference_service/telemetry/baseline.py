"""The baseline of drift: how the training rows were distributed, in bins that served rows are counted in."""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveInt, model_validator

from reference_service.documents import Part


class FeatureBaseline(Part):
    """One observed feature: ascending `edges`, and how many training rows were in each bin.

    The first bin is below the first edge, the last at or above the last one; every other begins at its edge.
    """

    name: str
    edges: tuple[FiniteFloat, ...] = Field(min_length=1)
    counts: tuple[NonNegativeInt, ...]

    @model_validator(mode="after")
    def _bins_are_between_edges(self) -> Self:
        if any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges of {self.name} do not ascend")
        if len(self.counts) != len(self.edges) + 1:
            raise ValueError(f"{len(self.counts)} counts of {self.name} for {len(self.edges)} edges")
        return self


class Baseline(Part):
    """`baseline.json`: each observed feature of the training rows, and the model's answers for them."""

    schema_version: Literal[1]
    rows: PositiveInt
    features: tuple[FeatureBaseline, ...] = Field(min_length=1)
    predictions: dict[str, NonNegativeInt]

    @model_validator(mode="after")
    def _counts_are_of_all_rows(self) -> Self:
        for name, counts in (
            *((feature.name, feature.counts) for feature in self.features),
            ("predictions", self.predictions.values()),
        ):
            if sum(counts) != self.rows:
                raise ValueError(f"counts of {name} add up to {sum(counts)}, not to {self.rows} rows")
        return self


def count_bins(values: ArrayLike, edges: Sequence[float]) -> NDArray[np.int64]:
    """Count values of shape [n] in the `len(edges) + 1` bins of a feature."""
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
