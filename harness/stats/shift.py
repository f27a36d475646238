"""By how much a second sample lies beyond a first one, and where the median of one lies."""

from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.stats.absolute import growth_until
from harness.stats.judgement import Judgement, Shown, Spending
from harness.stats.proportions import shown_above, shown_at_most


def hodges_lehmann(
    first: NDArray[np.float64], second: NDArray[np.float64], spending: Spending
) -> tuple[float, float, float]:
    """Return the shift and its lower and upper bound: the median of all differences between two members.

    Hodges and Lehmann, Ann. Math. Stat. 34 (1963) 598-611; the bounds invert the Wilcoxon rank-sum test by
    its normal approximation. Infinite where there are too few for the error that may be spent.

    Args:
        first: Shape (m,), m > 0, finite.
        second: Shape (n,), n > 0, finite.
        spending: `beyond` of the lower bound, `within` of the upper.
    """
    apart = np.sort(np.subtract.outer(second, first), axis=None)
    m, n = first.size, second.size
    spread = sqrt(m * n * (m + n + 1) / 12.0)

    def outside(error: float) -> int:
        return int(m * n / 2.0 - NormalDist().inv_cdf(1.0 - error) * spread)

    below, above = outside(spending.beyond), outside(spending.within)
    return (
        float(np.median(apart)),
        float(apart[below - 1]) if below >= 1 else -np.inf,
        float(apart[-above]) if above >= 1 else np.inf,
    )


def judge_median(
    lowest: NDArray[np.float64], highest: NDArray[np.float64], *, least: float, spending: Spending
) -> Judgement:
    """Judge that the median of what values are drawn from is at least `least`, by the sign test.

    Exact for any continuous distribution, whatever the noise is. The limit is a least one: it is kept where
    it is not above `Judgement.lower`, and broken where it is above `upper`.

    Args:
        lowest: Shape (n,), n > 0, the least that each value may be.
        highest: Shape (n,), the most; most values are known exactly.
        least: The limit.
        spending: `within` of the lower bound, `beyond` of the upper.
    """
    n = lowest.size
    surely_below, perhaps_below = (int(np.count_nonzero(values < least)) for values in (highest, lowest))

    def shown(factor: float) -> Shown:
        if shown_at_most(perhaps_below * factor, n * factor, 0.5, spending.within):
            return Shown.WITHIN
        broken = shown_above(surely_below * factor, n * factor, 0.5, spending.beyond)
        return Shown.BEYOND if broken else Shown.NEITHER

    seen, kept, broken = shown(1.0), _outside(n, spending.within), _outside(n, spending.beyond)
    return Judgement(
        shown=seen,
        observed=float(np.median(lowest)),
        lower=float(np.sort(lowest)[kept - 1]) if kept else -np.inf,
        upper=float(np.sort(highest)[-broken]) if broken else np.inf,
        growth=1.0
        if seen is not Shown.NEITHER
        else growth_until(lambda factor: shown(factor) is not Shown.NEITHER),
    )


def least_values(error: float) -> int:
    """Return with how many values a median has a bound at all that errs with this probability."""
    n = 1
    while not _outside(n, error):
        n += 1
    return n


def _outside(n: int, error: float) -> int:
    """Return the largest k for which fewer than k of n values lie below their median at most so often."""
    tail, term, below = 0.0, 0.5**n, 0
    while below < n and (tail := tail + term) <= error:
        below += 1
        term *= (n - below + 1) / below
    return below
