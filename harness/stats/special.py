"""The few special functions that the exact bounds need, in logarithms so that no tail underflows.

Source: W. H. Press et al., *Numerical Recipes*, 3rd ed., section 6.4 (continued fraction by the modified
Lentz method); the parameters may be real, which the effective sample sizes of `proportions` use.
"""

import math
from collections.abc import Callable

_TINY = 1e-300
_PRECISION = 1e-15
_MAX_TERMS = 20_000


def _log_continued_fraction(a: float, b: float, x: float) -> float:
    """Return the logarithm of the continued fraction of I_x(a, b); converges fast for x < (a+1)/(a+b+2)."""
    c, d = 1.0, 1.0 / _nonzero(1.0 - (a + b) * x / (a + 1.0))
    log_value = math.log(abs(d))
    for m in range(1, _MAX_TERMS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = 1.0 / _nonzero(1.0 + numerator * d)
            c = _nonzero(1.0 + numerator / c)
            log_value += math.log(abs(c * d))
        if abs(c * d - 1.0) < _PRECISION:
            break
    return log_value


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def log_beta_cdf(x: float, a: float, b: float) -> float:
    """Return log I_x(a, b), the logarithm of the Beta(a, b) distribution function at x.

    Args:
        x: Where to evaluate, in [0, 1].
        a: First shape, > 0, real.
        b: Second shape, > 0, real.

    Raises:
        ValueError: A shape is not positive or x is outside [0, 1].
    """
    if a <= 0 or b <= 0 or not 0 <= x <= 1:
        raise ValueError(f"need a, b > 0 and 0 <= x <= 1, got a={a}, b={b}, x={x}")
    if x == 0:
        return -math.inf
    if x == 1:
        return 0.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1.0) / (a + b + 2.0):
        return min(0.0, log_front - math.log(a) + _log_continued_fraction(a, b, x))
    log_other = log_front - math.log(b) + _log_continued_fraction(b, a, 1.0 - x)
    return math.log1p(-min(math.exp(log_other), 1.0 - 1e-16))


def beta_cdf(x: float, a: float, b: float) -> float:
    """Return I_x(a, b); see `log_beta_cdf`."""
    return math.exp(log_beta_cdf(x, a, b))


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Return x with I_x(a, b) = probability, to about 1e-12, by bisection."""
    return _bisect(lambda x: beta_cdf(x, a, b) - probability, 0.0, 1.0)


def student_t_quantile(probability: float, degrees: float) -> float:
    """Return the Student t quantile for a probability in [0.5, 1) and real degrees of freedom > 0.

    Uses P(|T| > t) = I_{v/(v+t^2)}(v/2, 1/2) (Abramowitz and Stegun 26.7.1).
    """
    x = beta_quantile(2.0 * (1.0 - probability), degrees / 2.0, 0.5)
    return math.sqrt(degrees * (1.0 - x) / x) if x > 0 else math.inf


def _bisect(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the root of an increasing function between low and high."""
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
    return 0.5 * (low + high)
