"""Is a quantile, or the share of failures, within an absolute limit? One exact test on counts serves both."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.stats.judgement import HOPELESS, Judgement, Shown, Spending, detectable_scaled
from harness.stats.proportions import (
    Dependence,
    clopper_pearson_lower,
    clopper_pearson_upper,
    dependence,
    shown_above,
    shown_at_most,
)
from harness.stats.quantiles import Times, quantile


def judge_quantile(
    times: Times, groups: NDArray[np.intp], *, probability: float, limit: float, spending: Spending
) -> Judgement:
    """Judge q_p <= limit: the count of samples beyond the limit against an exact binomial with rate 1 - p.

    How much the requests depend on each other is measured at the sample's own quantile, where there are
    events to see it by even when nothing is beyond the limit.

    Args:
        times: Shape (n,), n > 0, +inf where the request failed.
        groups: Shape (n,), the group of each sample.
        probability: p of the quantile, in (0, 1).
        limit: The SLO, in the unit of `times`, >= 0.
        spending: Error probabilities of this look.
    """
    rest, n = 1.0 - probability, times.size
    observed = quantile(times, probability)
    spread = dependence(times > observed, groups)
    over = int(np.count_nonzero(times > limit))
    few, many = spread.worth(spending.within), spread.worth(spending.beyond)
    most = largest_count(lambda t: shown_at_most(t * few, n * few, rest, spending.within), n)
    least = 1 + largest_count(lambda t: not shown_above(t * many, n * many, rest, spending.beyond), n)
    ordered = np.sort(times)
    lower = float(ordered[n - least]) if least <= n else 0.0
    return Judgement(
        shown=_shown(within=over <= most, beyond=over >= least),
        observed=observed,
        lower=lower,
        upper=float(ordered[n - most - 1]) if most >= 0 else math.inf,
        growth=_growth(over, n, rest, spread, spending),
        detectable=detectable_scaled(observed, lower, limit),
    )


def judge_share(
    events: NDArray[np.bool_], groups: NDArray[np.intp], *, limit: float, spending: Spending
) -> Judgement:
    """Judge that events (failed requests) are at most a share `limit`, by Clopper-Pearson bounds.

    Args:
        events: Shape (n,), n > 0, whether the request failed.
        groups: Shape (n,), the group of each request.
        limit: The largest share allowed, in (0, 1).
        spending: Error probabilities of this look.
    """
    count, n = int(np.count_nonzero(events)), events.size
    spread = dependence(events, groups)
    few, many = spread.worth(spending.within), spread.worth(spending.beyond)
    lower = clopper_pearson_lower(count * many, n * many, spending.beyond)
    upper = clopper_pearson_upper(count * few, n * few, spending.within)
    least = 1 + largest_count(lambda t: not shown_above(t * many, n * many, limit, spending.beyond), n)
    return Judgement(
        shown=_shown(within=upper <= limit, beyond=lower > limit),
        observed=count / n,
        lower=lower,
        upper=upper,
        growth=_growth(count, n, limit, spread, spending),
        detectable=least / n if least <= n else math.inf,
    )


def _shown(*, within: bool, beyond: bool) -> Shown:
    if within:
        return Shown.WITHIN
    return Shown.BEYOND if beyond else Shown.NEITHER


def largest_count(holds: Callable[[int], bool], samples: int) -> int:
    """Return the largest count in 0..samples for which a condition holds that smaller ones share, or -1."""
    low, high = -1, samples + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _growth(count: int, n: int, limit: float, spread: Dependence, spending: Spending) -> float:
    few, many = spread.worth(spending.within), spread.worth(spending.beyond)

    def decided(factor: float) -> bool:
        return shown_at_most(count * few * factor, n * few * factor, limit, spending.within) or shown_above(
            count * many * factor, n * many * factor, limit, spending.beyond
        )

    return growth_until(decided)


def growth_until(decided: Callable[[float], bool]) -> float:
    """Return the least factor on the sample at which a condition holds, `Judgement.growth`."""
    if not decided(HOPELESS):
        return math.inf
    low, high = 1.0, HOPELESS
    while high / low > 1.01:  # noqa: PLR2004 - an estimate to one per cent
        middle = math.sqrt(low * high)
        low, high = (low, middle) if decided(middle) else (middle, high)
    return 1.0 if decided(1.0) else high
