"""The baseline of drift: deciles of what is observed of training rows, and the model's answers for them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference_service.telemetry.baseline import Baseline, FeatureBaseline, count_bins

DECILES = np.arange(1, 10) / 10


def baseline_of(
    names: Sequence[str], observed: NDArray[np.float32], answers: NDArray[np.str_], classes: Sequence[str]
) -> Baseline:
    """Count the training rows.

    Args:
        names: Of the observed features.
        observed: Shape [rows, features].
        answers: The model's label for each row.
        classes: Every label the model may answer.
    """
    return Baseline(
        schema_version=1,
        rows=len(observed),
        features=tuple(_feature(name, column) for name, column in zip(names, observed.T, strict=True)),
        predictions={name: int(np.count_nonzero(answers == name)) for name in classes},
    )


def _feature(name: str, values: NDArray[np.float32]) -> FeatureBaseline:
    """Put an edge at each decile, so that every bin holds a tenth; equal deciles share one.

    An edge is a value that occurs: interpolated ones would round differently elsewhere.
    """
    edges = np.unique(np.quantile(values, DECILES, method="higher"))
    return FeatureBaseline(
        name=name, edges=tuple(edges.tolist()), counts=tuple(count_bins(values, edges.tolist()).tolist())
    )
