"""The envelope of errors: what it proposes allows every error seen, whatever the values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.compare import error_of
from harness.golden.envelope import Envelope, round_up

NUMBERS = st.floats(-1e30, 1e30, allow_subnormal=False)
PAIRS = st.lists(st.tuples(NUMBERS, st.floats(-1e-3, 1e-3)), min_size=1, max_size=40)


def envelope_of(pairs):
    made = Envelope()
    for expected, observed in pairs:
        made.add(expected, observed)
    return made


@given(PAIRS, st.floats(1, 10))
def test_the_proposal_allows_margin_times_every_error(pairs, margin):
    pairs = [(expected, expected + off * max(1.0, abs(expected))) for expected, off in pairs]
    proposed = envelope_of(pairs).proposal(margin)
    for expected, observed in pairs:
        error = error_of(observed, expected)
        allowed = 0.0 if proposed is None else proposed.atol + proposed.rtol * abs(expected)
        assert margin * error <= allowed * (1 + 1e-9)


@given(PAIRS, PAIRS)
def test_joining_is_adding_both(first, second):
    one, two = envelope_of(first), envelope_of(second)
    one.join(two)
    both = envelope_of([*first, *second])
    assert (one.elements, one.largest, one.histogram) == (both.elements, both.largest, both.histogram)
    assert math.isclose(one.bias, both.bias, rel_tol=1e-9, abs_tol=1e-9)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.sampled_from([0.5, 0.99, 1.0]))
def test_a_quantile_is_at_most_nine_percent_above_the_true_one(errors, share):
    true = sorted(errors)[math.ceil(share * len(errors)) - 1]
    assert true <= envelope_of((0.0, error) for error in errors).quantile(share) <= true * 1.0906


def test_equal_values_need_no_tolerance():
    made = envelope_of([(1.0, 1.0), (math.nan, math.nan), (math.inf, math.inf), ("a", "a"), (True, True)])
    assert made.proposal(4) is None
    assert (made.broken, made.bias, made.quantile(0.99), made.max_error) == (0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("pair", [("a", "b"), (True, False), (1.0, math.nan), (math.inf, -math.inf)])
def test_what_no_tolerance_mends_is_counted_apart(pair):
    made = envelope_of([pair])
    assert (made.broken, made.max_error, made.proposal(4)) == (1, 0.0, None)


def test_an_error_in_proportion_is_proposed_as_rtol_alone():
    made = envelope_of([(float(2**n), 2**n * (1 + 1e-6)) for n in range(10)])
    proposed = made.proposal(2)
    assert proposed.rtol == pytest.approx(2e-6, rel=0.06)
    assert proposed.atol < 1e-12


def test_an_error_at_zero_is_proposed_as_atol():
    proposed = envelope_of([(0.0, 1e-7), (1.0, 1.0)]).proposal(2)
    assert (proposed.atol, proposed.rtol) == (2e-7, 0.0)


@given(st.floats(1e-300, 1e300))
def test_rounding_up_keeps_two_digits(number):
    rounded = round_up(number)
    assert number <= rounded <= number * 1.1000001
    assert len(f"{rounded:.15g}".split("e")[0].replace(".", "").strip("0")) <= 2
