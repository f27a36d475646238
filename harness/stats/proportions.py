"""Exact bounds on a proportion, with the sample size that dependent requests are worth."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from harness.stats.groups import LEAST_GROUPS, sum_by_group
from harness.stats.special import beta_cdf, beta_quantile, student_t_quantile


def clopper_pearson_upper(successes: float, samples: float, alpha: float) -> float:
    """Return the upper 1 - alpha bound of a proportion (Clopper and Pearson 1934); counts may be real."""
    return 1.0 if successes >= samples else beta_quantile(1.0 - alpha, successes + 1.0, samples - successes)


def clopper_pearson_lower(successes: float, samples: float, alpha: float) -> float:
    """Return the lower 1 - alpha bound of a proportion (Clopper and Pearson 1934); counts may be real."""
    return 0.0 if successes <= 0 else beta_quantile(alpha, successes, samples - successes + 1.0)


def shown_at_most(successes: float, samples: float, limit: float, alpha: float) -> bool:
    """Say whether P[Bin(samples, limit) <= successes] <= alpha: shown to be below the limit."""
    return successes < samples and beta_cdf(1.0 - limit, samples - successes, successes + 1.0) <= alpha


def shown_above(successes: float, samples: float, limit: float, alpha: float) -> bool:
    """Say whether P[Bin(samples, limit) >= successes] <= alpha: shown to be above the limit."""
    return successes > 0 and beta_cdf(limit, successes, samples - successes + 1.0) <= alpha


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """How much less than independent a set of grouped yes/no observations is worth.

    Attributes:
        design_effect: Variance of the proportion over groups against that of independent observations, >= 1.
        groups: The number of groups it was estimated from.
    """

    design_effect: float
    groups: int

    def worth(self, alpha: float) -> float:
        """Return the factor in (0, 1] on all counts that makes an exact binomial bound honest.

        Korn and Graubard (Survey Methodology 1998): divide by the design effect, and correct for its having
        been estimated with few degrees of freedom by the squared ratio of normal to Student t quantiles.
        Fewer than `LEAST_GROUPS` are corrected also where they look independent, as they do by chance.
        """
        if self.design_effect <= 1.0 and self.groups >= LEAST_GROUPS:
            return 1.0
        if self.groups == 1:
            return 0.0
        ratio = NormalDist().inv_cdf(1.0 - alpha) / student_t_quantile(1.0 - alpha, self.groups - 1.0)
        return ratio**2 / self.design_effect


def dependence(hits: NDArray[np.bool_], groups: NDArray[np.intp]) -> Dependence:
    """Estimate the dependence of observations from the spread of their group totals.

    Args:
        hits: Shape (n,), whether the event happened.
        groups: Shape (n,), the group of each observation, numbered from 0 without gaps.
    """
    count = int(groups.max()) + 1
    rate = float(hits.mean())
    if count == 1 or rate in (0.0, 1.0):
        return Dependence(design_effect=1.0, groups=count)
    residuals = sum_by_group(np.where(hits, 1.0, 0.0) - rate, groups)
    variance = count / (count - 1.0) * float(np.square(residuals).sum())
    return Dependence(design_effect=max(1.0, variance / (hits.size * rate * (1.0 - rate))), groups=count)
