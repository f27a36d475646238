"""Does something grow by more than a limit, gradually or all at once?"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.stats.judgement import Judgement, Shown, Spending, growth_of
from harness.stats.shift import hodges_lehmann
from harness.stats.slope import theil_sen, theil_sen_interval


def judge_growth(
    at: NDArray[np.float64], values: NDArray[np.float64], *, limit: float, spending: Spending
) -> Judgement:
    """Judge that values grow by at most `limit` for each unit of `at`.

    The larger of two growths: Theil and Sen's slope, which sees what grows steadily, and Hodges and Lehmann's
    shift from the first third to the last, taken over all of `at`, which sees a step. Either may reject, so
    that error is halved; both have to keep the limit. What lies between the values is assumed to tell little
    of the next one: they are best means over a while.

    Args:
        at: Shape (n,), increasing, n >= 3.
        values: Shape (n,), finite.
        limit: In units of the values for one of `at`.
        spending: Error probabilities.
    """
    half = Spending(within=spending.within, beyond=spending.beyond / 2.0)
    third, span = values.size // 3, float(at[-1] - at[0])
    x, y = at.tolist(), values.tolist()
    gradual = (
        theil_sen(x, y),
        theil_sen_interval(x, y, 1.0 - 2.0 * half.beyond)[0],
        theil_sen_interval(x, y, 1.0 - 2.0 * half.within)[1],
    )
    stepped = (each / span for each in hodges_lehmann(values[:third], values[-third:], half))
    observed, lower, upper = (float(max(pair)) for pair in zip(gradual, stepped, strict=True))
    return _judged(observed, lower, upper, limit)


def at_least(judgement: Judgement, seen: float, limit: float) -> Judgement:
    """Return a judgement of a growth whose upper bound is no lower than what was seen besides."""
    return _judged(judgement.observed, judgement.lower, max(judgement.upper, seen), limit)


def of_logarithms(judgement: Judgement) -> Judgement:
    """Return a judgement of the growth of logarithms as one of the share by which they grow."""
    observed, lower, upper = np.expm1([judgement.observed, judgement.lower, judgement.upper]).tolist()
    return replace(judgement, observed=observed, lower=lower, upper=upper)


def _judged(observed: float, lower: float, upper: float, limit: float) -> Judgement:
    shown = Shown.WITHIN if upper <= limit else Shown.BEYOND if lower > limit else Shown.NEITHER
    return Judgement(
        shown=shown,
        observed=observed,
        lower=lower,
        upper=upper,
        growth=growth_of(limit, observed, lower, upper) if shown is Shown.NEITHER else 1.0,
    )
