"""Is a quantile of the candidate within a ratio of the reference's? Paired, by sign flips.

The test of q_p(candidate) = ratio * q_p(reference): let x be the p-quantile of the candidate's times
and the scaled reference's times taken together, and count in each group of blocks how many of either
lie beyond x. Were the ratio the true one, each group's score, the difference of the counts, would lean
to either side alike; so the sum of scores is compared with all 2^G sums that flipping signs gives.

Exact where swapping both sides within a group changes nothing (Fisher's randomisation test);
approximately valid for few long groups of a series with memory: Canay, Romano and Shaikh,
"Randomization tests under an approximate symmetry assumption", Econometrica 2017.

x is estimated. Where the two densities at x differ (a candidate with rare stalls) that changes the
variance of the scores, so a second test uses *effective* scores, which are orthogonal to x: Hemerik,
Goeman and Finos, "Robust testing in generalized linear models by sign flipping score contributions",
JRSS B 2020. They need the density ratio at x, which few or clustered samples estimate badly (30 % false
results for p99 under AR(1) noise of 0.98, where the plain scores keep their level). So nothing is shown
unless both tests show it; benchmarks/latency_coverage has the error rates.

A shared machine slows both sides alike for a while, and a tail over all of the run would be that of its
worst seconds. So all times are first divided by the median of their block, both sides taken together:
swapping sides does not change it, the test stays exact, and a candidate's own slow spells, which are at
most half of a block's times, cannot hide in it. Nothing is shown that the plain ratio of the same pairs
contradicts.

Pairs in which the machine was slow for both sides (`harness.stats.spells`) may be set aside for a tail. What
the others show has to hold at the quantile's place among them, and at that to which the services' own moved
since chance sets some of their slow requests aside as well: a few heavy requests just beyond a quantile would
else be gone from there. A candidate that makes such spells, by taking the core from the reference, must not
hide in them. So it is shown within a limit only if, among the pairs set aside, it is not beyond the quantile
x of all pairs more often than the reference, but for a quarter of the share of requests beyond a quantile, by
sign flips as well. And it is shown beyond a limit by all pairs as by those that are left, each at half of the
error; where only all pairs show it, the estimate is theirs.

Only order matters: +inf (a failed request) needs no special care.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.stats.groups import group_of_block, sum_by_group
from harness.stats.judgement import Judgement, Shown, Spending, detectable_scaled, growth_to
from harness.stats.quantiles import Times, quantile
from harness.stats.spells import Aside

MOST_OF_THE_TAIL = 0.25
"""Of the share of requests beyond a quantile: by so much the candidate's may exceed those of the reference
among the pairs that are set aside."""
_WINDOW_SD = 2.0
_ROUNDING = 1e-9
_DOUBLINGS = 20
_HALVINGS = 14


def judge_ratio(
    candidate: Times,
    reference: Times,
    blocks: NDArray[np.intp],
    *,
    probability: float,
    limit: float,
    spending: Spending,
    aside: Aside | None = None,
) -> Judgement:
    """Judge q_p(candidate) <= limit * q_p(reference).

    Args:
        candidate: Shape (n,), +inf where the request failed.
        reference: Shape (n,), positive, the other members of the same pairs; its quantile is finite.
        blocks: Shape (n,), the block of each pair, not decreasing, from 0 without gaps.
        probability: p of the quantile, in (0, 1).
        limit: The largest ratio allowed, 1 + margin.
        spending: Error probabilities of this look.
        aside: The pairs to set aside; None for none. The estimate is that of the others, but where all pairs
            alone show it beyond the limit.

    Raises:
        ValueError: The sides have different lengths, a reference time is not positive, or its quantile is
            infinite.
    """
    of_all = _plain_ratio(candidate, reference, probability)
    of_kept = of_all
    if aside is not None:
        of_kept = _plain_ratio(candidate[~aside.pairs], reference[~aside.pairs], probability)

    def shown_at(ratio: float) -> Shown:
        return show_ratio(
            candidate,
            reference,
            blocks,
            probability=probability,
            limit=ratio,
            spending=spending,
            aside=aside,
        )

    shown = shown_at(limit)
    upper = _least(lambda ratio: shown_at(ratio) is Shown.WITHIN, limit)
    inverse_lower = _least(lambda inverse: shown_at(1.0 / inverse) is Shown.BEYOND, 1.0 / limit)
    lower = 1.0 / inverse_lower if inverse_lower else math.inf
    takes_all = shown is Shown.BEYOND and of_kept < lower
    observed = of_all if takes_all else of_kept
    return Judgement(
        shown=shown,
        observed=observed,
        # Either bound may be that of the other pairs.
        lower=min(lower, observed),
        upper=max(upper, observed),
        growth=growth_to(limit, observed, lower, upper) if shown is Shown.NEITHER else 1.0,
        detectable=detectable_scaled(observed, lower, limit),
        of_all=takes_all,
    )


def show_ratio(
    candidate: Times,
    reference: Times,
    blocks: NDArray[np.intp],
    *,
    probability: float,
    limit: float,
    spending: Spending,
    aside: Aside | None = None,
) -> Shown:
    """Return `judge_ratio(...).shown` alone; the bounds take this forty times."""
    scaled = limit * reference
    if aside is None or not aside.pairs.any():
        return _shown_by(candidate, scaled, blocks, probability, spending)
    half_beyond = replace(spending, beyond=spending.beyond / 2)
    kept = ~aside.pairs
    levels = dict.fromkeys((probability, aside.level(probability)))
    of_kept = _shown_at_each(candidate[kept], scaled[kept], blocks[kept], levels, half_beyond)
    if of_kept is Shown.BEYOND:
        return of_kept
    if _shown_by(candidate, scaled, blocks, probability, half_beyond) is Shown.BEYOND:
        return Shown.BEYOND
    if of_kept is Shown.NEITHER:
        return of_kept
    hidden = _hidden(candidate, scaled, blocks, aside.pairs, probability)
    return Shown.WITHIN if hidden <= spending.within else Shown.NEITHER


def _shown_at_each(
    candidate: Times, scaled: Times, blocks: NDArray[np.intp], levels: Iterable[float], spending: Spending
) -> Shown:
    """What these pairs show of several quantiles alike."""
    shown = (_shown_by(candidate, scaled, blocks, level, spending) for level in levels)
    first = next(shown)
    return first if first is Shown.NEITHER or all(other is first for other in shown) else Shown.NEITHER


def _hidden(
    candidate: Times, scaled: Times, blocks: NDArray[np.intp], aside: NDArray[np.bool_], probability: float
) -> float:
    """Return the p-value of "beyond x, too many of the candidate's requests were set aside"."""
    candidate, scaled = _by_block_median(candidate, scaled, blocks)
    x = quantile(np.concatenate([candidate, scaled]), probability)
    excess = np.where(aside, _beyond(candidate, x) - _beyond(scaled, x), 0.0)
    return sign_flip(sum_by_group(excess - MOST_OF_THE_TAIL * (1.0 - probability), _groups(blocks)))[0]


def _shown_by(
    candidate: Times, scaled: Times, blocks: NDArray[np.intp], probability: float, spending: Spending
) -> Shown:
    """What these pairs show, the reference's times being multiplied by the limit."""
    lower, higher = p_values(candidate, scaled, blocks, probability)
    if _plain_ratio(candidate, scaled, probability) <= 1.0:
        return Shown.WITHIN if lower <= spending.within else Shown.NEITHER
    return Shown.BEYOND if higher <= spending.beyond else Shown.NEITHER


def _plain_ratio(candidate: Times, reference: Times, probability: float) -> float:
    if candidate.shape != reference.shape or not reference.min() > 0:
        raise ValueError("paired sides need equal lengths and positive reference times")
    if math.isinf(theirs := quantile(reference, probability)):
        raise ValueError("so many of the reference's requests failed that its quantile is infinite")
    return quantile(candidate, probability) / theirs


def p_values(
    candidate: Times, reference: Times, blocks: NDArray[np.intp], probability: float
) -> tuple[float, float]:
    """Return the p-values of "the candidate's quantile is lower" and "it is higher".

    Args:
        candidate: Shape (n,).
        reference: Shape (n,), already scaled by the ratio that is tested.
        blocks: Shape (n,), the block of each pair, not decreasing, from 0.
        probability: p of the quantile.
    """
    groups = _groups(blocks)
    candidate, reference = _by_block_median(candidate, reference, blocks)
    order = np.sort(np.concatenate([candidate, reference]))
    rank = math.ceil(probability * order.size - _ROUNDING) - 1
    x = float(order[rank])
    rest = float(_beyond(order, x).mean())
    excess_c = sum_by_group(_beyond(candidate, x) - rest, groups)
    excess_r = sum_by_group(_beyond(reference, x) - rest, groups)
    share = _candidate_share(candidate, order, rank, probability)
    plain = sign_flip(excess_c - excess_r)
    effective = sign_flip(2.0 * ((1.0 - share) * excess_c - share * excess_r))
    return max(plain[0], effective[0]), max(plain[1], effective[1])


def _groups(blocks: NDArray[np.intp]) -> NDArray[np.intp]:
    return group_of_block(int(blocks[-1]) + 1)[blocks]


def _by_block_median(candidate: Times, reference: Times, blocks: NDArray[np.intp]) -> tuple[Times, Times]:
    """Return both in units of the median of their block, 1 where more than half of its requests failed."""
    ends = np.cumsum(np.bincount(blocks)).tolist()
    medians = np.ones(len(ends))
    for block, (start, end) in enumerate(pairwise([0, *ends])):
        if start == end:
            continue
        # Of the 2n times of n pairs the n-th is the lower median.
        both = np.concatenate([candidate[start:end], reference[start:end]])
        medians[block] = np.partition(both, end - start - 1)[end - start - 1]
    medians[np.isinf(medians)] = 1.0
    return candidate / medians[blocks], reference / medians[blocks]


def _beyond(times: Times, x: float) -> NDArray[np.float64]:
    """Count 1 beyond x and 1/2 at x: the same for both sides, so that ties keep the symmetry."""
    return np.where(times > x, 1.0, np.where(times == x, 0.5, 0.0))


def _candidate_share(candidate: Times, order: Times, rank: int, probability: float) -> float:
    """Return f_c / (f_c + f_r) at x, from the samples within two standard errors of x's rank."""
    reach = 1 + round(_WINDOW_SD * math.sqrt(order.size * probability * (1.0 - probability)))
    low, high = order[max(0, rank - reach)], order[min(order.size - 1, rank + reach)]
    near_c = np.count_nonzero((candidate >= low) & (candidate <= high))
    near = np.count_nonzero((order >= low) & (order <= high))
    return (near_c + 1.0) / (near + 2.0)


def sign_flip(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return P[sum of randomly signed scores <= their sum] and P[>=], over all 2^G signs.

    Each sum is one of the first half of the groups and one of the second: 2 * 2^(G/2) of them are enough to
    count all 2^G.

    Args:
        scores: Shape (G,), G small (16 groups: twice 256 sums).
    """
    half = scores.size // 2
    first, second = _signed_sums(scores[:half]), np.sort(_signed_sums(scores[half:]))
    total = float(scores.sum())
    slack = _ROUNDING * (1.0 + float(np.abs(scores).sum()))
    of = first.size * second.size
    below = np.searchsorted(second, total + slack - first, side="right").sum()
    above = of - np.searchsorted(second, total - slack - first, side="left").sum()
    return float(below / of), float(above / of)


def _signed_sums(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums under all signs, shape (2^n,)."""
    sums = np.zeros(1)
    for score in scores:
        sums = np.concatenate([sums + score, sums - score])
    return sums


def _least(holds: Callable[[float], bool], start: float) -> float:
    """Return the least ratio of a condition that larger ones share; 0 or inf at the ends of the range."""
    known = holds(start)
    step = 0.5 if known else 2.0
    low = high = start
    for _ in range(_DOUBLINGS):
        last, low = (low, low * step)
        if holds(low) != known:
            low, high = min(last, low), max(last, low)
            break
    else:
        return 0.0 if known else math.inf
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
