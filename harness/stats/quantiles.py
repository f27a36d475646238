"""Sample quantiles where +inf stands for an answer that never came, and how many samples one needs."""

import math

import numpy as np
from numpy.typing import NDArray

from harness.stats.special import beta_cdf

Times = NDArray[np.float64]
"""Response times of one side, float64, any unit; +inf for a failed or timed-out request, never NaN."""


def quantile(times: Times, probability: float) -> float:
    """Return the smallest sample that at least `probability` of the samples do not exceed.

    No interpolation: every reported quantile is a request that happened, and +inf needs no arithmetic.

    Args:
        times: Shape (n,), n > 0; +inf allowed.
        probability: In (0, 1].

    Raises:
        ValueError: No samples, a NaN among them, or a probability outside (0, 1].
    """
    if times.size == 0 or not 0 < probability <= 1 or bool(np.isnan(times).any()):
        raise ValueError("a quantile needs samples without NaN and 0 < probability <= 1")
    rank = math.ceil(probability * times.size - 1e-9)
    return float(np.partition(times, rank - 1)[rank - 1])


def least_samples(probability: float, confidence: float, over_limit: int = 0) -> int:
    """Return the least n with which q_p <= x can be shown at all, with `over_limit` samples beyond x.

    The smallest n with P[Bin(n, 1 - p) <= t] <= 1 - c, the order-statistics rule of MLPerf LoadGen's
    `early_stopping.cc` (p95, 95 %: 59; p99: 299).
    """
    low, high = over_limit + 1, over_limit + 2
    while _too_few(high, probability, confidence, over_limit):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _too_few(middle, probability, confidence, over_limit) else (low, middle)
    return high if _too_few(low, probability, confidence, over_limit) else low


def _too_few(n: int, probability: float, confidence: float, over_limit: int) -> bool:
    # A binomial tail is a beta distribution function: at most t of n beyond has probability I_p(n-t, t+1).
    return beta_cdf(probability, n - over_limit, over_limit + 1) > 1.0 - confidence
