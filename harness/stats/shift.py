"""By how much a second sample lies beyond a first one."""

from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


def hodges_lehmann(
    first: NDArray[np.float64], second: NDArray[np.float64], confidence: float
) -> tuple[float, float, float]:
    """Return the shift and its lower and upper bound: the median of all differences between two members.

    Hodges and Lehmann, Ann. Math. Stat. 34 (1963) 598-611; the bounds invert the Wilcoxon rank-sum test by
    its normal approximation. Infinite where there are too few for the confidence.

    Args:
        first: Shape (m,), m > 0, finite.
        second: Shape (n,), n > 0, finite.
        confidence: Of both sides together, within (0, 1).
    """
    apart = np.sort(np.subtract.outer(second, first), axis=None)
    m, n = first.size, second.size
    spread = sqrt(m * n * (m + n + 1) / 12.0)
    below = int(m * n / 2.0 - NormalDist().inv_cdf((1.0 + confidence) / 2.0) * spread)
    shift = float(np.median(apart))
    if below < 1:
        return shift, -np.inf, np.inf
    return shift, float(apart[below - 1]), float(apart[-below])


def median_bounds(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return lower and upper bound of the median of what `values` are drawn from, by its order statistics.

    Exact for any continuous distribution (the sign test, inverted). Infinite where there are too few: at 95 %
    it takes 6 values.

    Args:
        values: Shape (n,), n > 0.
        confidence: Of both sides together, within (0, 1).
    """
    ordered, n = np.sort(values), values.size
    tail, term, below = 0.0, 0.5**n, 0
    while below < n and (tail := tail + term) <= (1.0 - confidence) / 2.0:
        below += 1
        term *= (n - below + 1) / below
    if below == 0:
        return -np.inf, np.inf
    return float(ordered[below - 1]), float(ordered[-below])
