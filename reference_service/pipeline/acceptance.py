"""Holds the trained model against the bar that was declared before it was trained."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference_service.model.provenance import Criterion
from reference_service.pipeline.declaration import Bar
from reference_service.pipeline.errors import RejectedModelError

CALIBRATION_BINS = 10
DECIMALS = 6


def accept(measured: dict[str, float], bars: Sequence[Bar]) -> tuple[Criterion, ...]:
    """Hold the measured metrics, rounded to six decimals, against the declared bar.

    Raises:
        RejectedModelError: A criterion is missed, or names a metric that is not measured.
    """
    unknown = {bar.metric for bar in bars} - measured.keys()
    if unknown:
        raise RejectedModelError(f"the bar names metrics that are not measured: {sorted(unknown)}")
    observed = {metric: round(float(value), DECIMALS) for metric, value in measured.items()}
    missed = [
        f"{bar.metric} = {observed[bar.metric]}, declared {bar.comparison} {bar.limit}"
        for bar in bars
        if not bar.met_by(observed[bar.metric])
    ]
    if missed:
        raise RejectedModelError("acceptance bar missed: " + "; ".join(missed))
    return tuple(Criterion(**bar.model_dump(), observed=observed[bar.metric]) for bar in bars)


def calibration_error(probabilities: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Return the expected calibration error: how far confidence is from accuracy, on average.

    Ten bins of equal width over the probability of the answered class, each weighted by its rows (Naeini,
    Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015).

    Args:
        probabilities: Shape [rows, classes].
        correct: Shape [rows].
    """
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - correct, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(correct))
