"""What a statistical test of one limit says."""

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

HOPELESS = 1_000.0
"""A growth beyond this is reported as infinite: the estimate lies on the limit."""


class Shown(StrEnum):
    """What the data show about a quantity and its limit; `NEITHER` is not evidence of either."""

    WITHIN = "within"
    BEYOND = "beyond"
    NEITHER = "neither"


@dataclass(frozen=True, kw_only=True)
class Spending:
    """The error one test may spend at one look: `within` on a false pass, `beyond` on a false fail."""

    within: float
    beyond: float


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One limit, judged.

    Attributes:
        shown: What the data show.
        observed: The estimate.
        lower: One-sided bound at `Spending.beyond`; `BEYOND` is shown iff the limit is below it.
        upper: One-sided bound at `Spending.within`; `WITHIN` is shown iff the limit is not below it.
        growth: By what factor the sample would have to grow to show one or the other if the estimate stayed;
            1.0 when something is shown, inf when no sample of reasonable size would do.
        detectable: The critical value: the least estimate that a sample like this would have shown `BEYOND`,
            inf for none. A true effect of that size is shown in about half of the cases, see `with_power`.
        of_all: Whether the estimate is of all samples, those set aside too.
    """

    shown: Shown
    observed: float
    lower: float
    upper: float
    growth: float
    detectable: float = math.inf
    of_all: bool = False


def detectable_scaled(observed: float, lower: float, limit: float) -> float:
    """Return `Judgement.detectable` where scaling the sample scales its lower bound as well, inf for none.

    Scaled by limit / lower, the sample would just be shown beyond the limit.
    """
    if not 0 < lower < math.inf or not math.isfinite(observed * limit):
        return math.inf
    return observed * limit / lower


def growth_to(limit: float, observed: float, lower: float, upper: float) -> float:
    """Return `Judgement.growth` of a ratio: in logarithms bounds shrink as 1/sqrt(n)."""
    if min(limit, observed, lower if observed > limit else upper) <= 0:
        return math.inf
    of_lower = math.log(lower) if lower > 0 else -math.inf
    of_upper = math.log(upper) if upper > 0 else -math.inf
    return growth_of(math.log(limit), math.log(observed), of_lower, of_upper)


def growth_of(limit: float, observed: float, lower: float, upper: float) -> float:
    """Return `Judgement.growth` of what has bounds that shrink as 1/sqrt(n), by the nearer one."""
    bound = upper if observed < limit else lower
    if observed == limit or not math.isfinite(observed) or not math.isfinite(bound):
        return math.inf
    growth = ((bound - observed) / (limit - observed)) ** 2
    return growth if growth <= HOPELESS else math.inf


def with_power(judgement: Judgement, spending: Spending, *, power: float = 0.8) -> float:
    """Return the effect that a sample like this would have shown `BEYOND` with a probability; inf for none.

    An effect at the critical value, `Judgement.detectable`, is measured beyond it in half of the cases. How
    far above it the other has to be is taken from the distance of the lower bound, as that of a normal
    distribution of logarithms.
    """
    if not 0 < judgement.lower < judgement.observed or math.isinf(judgement.detectable):
        return math.inf
    per_deviation = math.log(judgement.observed / judgement.lower) / NormalDist().inv_cdf(
        1.0 - spending.beyond
    )
    return judgement.detectable * math.exp(NormalDist().inv_cdf(power) * per_deviation)


def both_show(first: Judgement, second: Judgement) -> Judgement:
    """Return what two judgements of one limit agree on, with the estimate of the first."""
    agreed = first.shown is second.shown
    return Judgement(
        shown=first.shown if agreed else Shown.NEITHER,
        observed=first.observed,
        lower=min(first.lower, second.lower),
        upper=max(first.upper, second.upper),
        growth=max(first.growth, second.growth)
        if agreed or max(first.growth, second.growth) > 1
        else math.inf,
        detectable=max(first.detectable, second.detectable),
        of_all=first.of_all,
    )
