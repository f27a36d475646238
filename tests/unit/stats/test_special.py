"""Special functions against exact sums and published tables."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.special import beta_cdf, beta_quantile, log_beta_cdf, student_t_quantile


def exact_beta_cdf(x: Fraction, a: int, b: int) -> Fraction:
    """I_x(a, b) = P[Bin(a+b-1, x) >= a], summed in rational arithmetic."""
    n = a + b - 1
    return sum((Fraction(math.comb(n, k)) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1)), Fraction(0))


@given(
    a=st.integers(1, 60),
    b=st.integers(1, 60),
    x=st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100),
)
def test_beta_cdf_agrees_with_the_exact_binomial_sum(a, b, x):
    exact = exact_beta_cdf(x, a, b)
    assert beta_cdf(float(x), a, b) == pytest.approx(float(exact), rel=1e-10, abs=1e-15)


@pytest.mark.parametrize(
    ("x", "a", "b", "expected"),
    [(0.5, 2, 3, 0.6875), (0.25, 0.5, 0.5, 1 / 3), (0.0, 2, 3, 0.0), (1.0, 2, 3, 1.0)],
)
def test_beta_cdf_known_values(x, a, b, expected):
    assert beta_cdf(x, a, b) == pytest.approx(expected, rel=1e-13)


def test_lower_tail_does_not_underflow():
    # I_x(a, 1) = x^a exactly; a double underflows below 1e-308.
    assert log_beta_cdf(1e-3, 500.0, 1.0) == pytest.approx(500 * math.log(1e-3), rel=1e-12)
    assert beta_cdf(1e-3, 500.0, 1.0) == 0.0


@pytest.mark.parametrize(
    ("x", "a", "b"), [(0.5, 0.0, 1.0), (0.5, 1.0, -1.0), (1.5, 1.0, 1.0), (-0.1, 1.0, 1.0)]
)
def test_beta_cdf_refuses_what_it_is_not_defined_for(x, a, b):
    with pytest.raises(ValueError, match="need a, b > 0"):
        log_beta_cdf(x, a, b)


@given(p=st.floats(0.001, 0.999), a=st.floats(0.5, 200), b=st.floats(0.5, 200))
def test_beta_quantile_inverts_the_distribution(p, a, b):
    assert beta_cdf(beta_quantile(p, a, b), a, b) == pytest.approx(p, abs=1e-7)


@pytest.mark.parametrize(
    ("probability", "degrees", "expected"),
    [(0.975, 10, 2.228139), (0.95, 5, 2.015048), (0.99, 1, 31.820516), (0.995, 30, 2.749996), (0.5, 7, 0.0)],
)
def test_student_t_quantiles_of_the_tables(probability, degrees, expected):
    assert student_t_quantile(probability, degrees) == pytest.approx(expected, abs=2e-6)
