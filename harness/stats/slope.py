"""A straight line through points of which some may lie anywhere."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


def theil_sen(x: Sequence[float], y: Sequence[float]) -> float:
    """The median of the slopes between all pairs of points (Sen 1968, J. Am. Stat. Assoc. 63, 1379-1389).

    Up to 29 % of the points may be off by any amount without carrying it away.

    Args:
        x: Of at least two points, not all alike.
        y: As many.

    Raises:
        ValueError: when no two points differ in ``x``.
    """
    return float(np.median(_slopes(x, y)))


def theil_sen_interval(x: Sequence[float], y: Sequence[float], confidence: float) -> tuple[float, float]:
    """Lower and upper bound of the slope by the normal approximation of Kendall's tau (Sen 1968, section 4).

    No distribution of the noise is assumed, only that it is independent and alike at every point. Infinite
    where there are too few points for the confidence.

    Args:
        x: As of :func:`theil_sen`, no two alike.
        y: As many.
        confidence: Of both sides together, within (0, 1).

    Raises:
        ValueError: when no two points differ in ``x``.
    """
    slopes = np.sort(_slopes(x, y))
    points = len(x)
    spread = sqrt(points * (points - 1) * (2 * points + 5) / 18)
    within = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    below = int((len(slopes) - within) // 2)
    if below < 1:
        return -np.inf, np.inf
    return float(slopes[below - 1]), float(slopes[-below])


def _slopes(x: Sequence[float], y: Sequence[float]) -> NDArray[np.float64]:
    """Between all pairs of points that differ in ``x``."""
    at, value = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    first, second = np.triu_indices(len(at), k=1)
    run = at[second] - at[first]
    apart = run != 0
    if not apart.any():
        raise ValueError("no two points differ in x")
    slopes: NDArray[np.float64] = (value[second] - value[first])[apart] / run[apart]
    return slopes
