"""Is one side's share of failures above the other's by no more than a margin? Paired, by exact bounds."""

import math

import numpy as np
from numpy.typing import NDArray

from harness.stats.absolute import growth_until, largest_count
from harness.stats.judgement import Judgement, Shown, Spending
from harness.stats.proportions import (
    Dependence,
    clopper_pearson_lower,
    clopper_pearson_upper,
    dependence,
)


def judge_excess(
    candidate: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    groups: NDArray[np.intp],
    *,
    limit: float,
    spending: Spending,
) -> Judgement:
    """Judge that the candidate's share of failures is at most the reference's plus `limit`.

    Pairs in which both failed say nothing of the difference, which is P[only the candidate failed] less
    P[only the reference failed]. Each share has its exact bounds (Clopper and Pearson), on the counts that
    dependent pairs are worth; bounds of their difference are recovered from those (Newcombe, Statistics in
    Medicine 1998, method 10; Zou and Donner, Statistics in Medicine 2008), with the correlation that two
    shares of one sample have. Without a failure this is the exact test of no events in n.

    Args:
        candidate: Shape (n,), n > 0, whether the candidate failed.
        reference: Shape (n,), the other members of the same pairs.
        groups: Shape (n,), the group of each pair.
        limit: The largest excess allowed, in (0, 1).
        spending: Error probabilities of this look.
    """
    only_c, only_r, n = candidate & ~reference, reference & ~candidate, candidate.size
    spreads = dependence(only_c, groups), dependence(only_r, groups)
    ours, theirs = int(np.count_nonzero(only_c)), int(np.count_nonzero(only_r))

    def lower(ours: float, theirs: float, n: float) -> float:
        return -_upper(theirs, ours, n, (spreads[1], spreads[0]), spending.beyond)

    def upper(ours: float, theirs: float, n: float) -> float:
        return _upper(ours, theirs, n, spreads, spending.within)

    def shown(factor: float) -> Shown:
        counts = ours * factor, theirs * factor, n * factor
        if upper(*counts) <= limit:
            return Shown.WITHIN
        return Shown.BEYOND if lower(*counts) > limit else Shown.NEITHER

    seen = shown(1.0)
    least = 1 + largest_count(lambda count: lower(count, theirs, n) <= limit, n - theirs)
    return Judgement(
        shown=seen,
        observed=(ours - theirs) / n,
        lower=lower(ours, theirs, n),
        upper=upper(ours, theirs, n),
        growth=growth_until(lambda factor: shown(factor) is not Shown.NEITHER)
        if seen is Shown.NEITHER
        else 1.0,
        detectable=(least - theirs) / n if least <= n - theirs else math.inf,
    )


def _upper(
    ours: float, theirs: float, n: float, spreads: tuple[Dependence, Dependence], alpha: float
) -> float:
    worth, their_worth = (spread.worth(alpha) for spread in spreads)
    more = clopper_pearson_upper(ours * worth, n * worth, alpha) - ours / n
    less = theirs / n - clopper_pearson_lower(theirs * their_worth, n * their_worth, alpha)
    return (ours - theirs) / n + _joined(more, less, ours / n, theirs / n)


def _joined(more: float, less: float, p: float, q: float) -> float:
    """Return the half-width of a difference from those of its terms, shares p and q of one multinomial."""
    odds = p * q / ((1.0 - p) * (1.0 - q)) if p < 1 and q < 1 else 0.0
    return math.sqrt(more**2 + less**2 + 2.0 * math.sqrt(odds) * more * less)
