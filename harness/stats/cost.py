"""Is a cost, or the ratio of two, within a limit? By sign flips over groups of blocks.

A cost is what a request takes of something that is only told of many together, as CPU time is. Each group of
blocks gives one logarithm: of its cost, or of the ratio of both sides' costs in it. Were the limit the true
value, each log would lie above log(limit) as likely as below it; so their sum is compared with all 2^G that
flipping the signs of their differences from it gives (`sign_flip` of `harness.stats.paired`,
where its sources stand).

Exact where a group's log is distributed symmetrically; for ratios it is so if the sides could be swapped. No
group is worth less than another: they have as many blocks each, or one less.
"""

import math

import numpy as np
from numpy.typing import NDArray

from harness.stats.judgement import Judgement, Shown, Spending, detectable_scaled, growth_to
from harness.stats.paired import sign_flip

_HALVINGS = 35


def judge_cost(logs: NDArray[np.float64], *, limit: float, spending: Spending) -> Judgement:
    """Judge that a cost, or a ratio of costs, is at most `limit`; observed is the groups' geometric mean.

    Args:
        logs: Shape (G,), G > 0, the logarithm of each group's, finite.
        limit: The largest that is allowed, > 0.
        spending: Error probabilities of this look, below one half.

    Raises:
        ValueError: No groups, or a log that is not finite.
    """
    if logs.size == 0 or not np.isfinite(logs).all():
        raise ValueError("a cost needs groups with finite logarithms")
    observed = math.exp(float(logs.mean()))
    upper, lower = math.exp(_upper(logs, spending.within)), math.exp(-_upper(-logs, spending.beyond))
    below, above = sign_flip(logs - math.log(limit))
    shown = Shown.NEITHER
    if below <= spending.within:
        shown = Shown.WITHIN
    elif above <= spending.beyond:
        shown = Shown.BEYOND
    return Judgement(
        shown=shown,
        observed=observed,
        lower=lower,
        upper=upper,
        growth=growth_to(limit, observed, lower, upper) if shown is Shown.NEITHER else 1.0,
        detectable=detectable_scaled(observed, lower, limit),
    )


def _upper(logs: NDArray[np.float64], level: float) -> float:
    """Return the least centre that the logs are shown to lie below at `level`, inf where they are too few.

    The p-value falls as the centre rises, from at least 1/2 at their mean to 2^-G beyond the largest.
    """
    if sign_flip(np.full(logs.size, -1.0))[0] > level:
        return math.inf
    low, high = float(logs.mean()), float(logs.max()) + 1e-6
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if sign_flip(logs - middle)[0] <= level else (middle, high)
    return high


def log_costs(
    used: NDArray[np.float64], answered: NDArray[np.float64], groups: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the logarithm of each group's cost of an answered request.

    Not finite of a group that used nothing or answered nothing.

    Args:
        used: Shape (rows,), what was used, >= 0.
        answered: Shape (rows,), requests that were answered meanwhile.
        groups: Shape (rows,), the group of each row, from 0 without gaps.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        spent = np.log(np.bincount(groups, weights=used)) - np.log(np.bincount(groups, weights=answered))
    logs: NDArray[np.float64] = spent.astype(np.float64)
    return logs
