"""Shifts between two samples, and bounds of a median."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.judgement import Shown, Spending
from harness.stats.shift import hodges_lehmann, judge_median, least_values

BOTH = Spending(within=0.025, beyond=0.025)
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


def bounds(values, spending):
    judged = judge_median(values, values, least=1.0, spending=spending)
    return judged.lower, judged.upper


@given(first=VALUES, second=VALUES)
def test_the_shift_lies_between_its_bounds_and_turns_with_the_samples(first, second):
    shift, lower, upper = hodges_lehmann(first, second, BOTH)
    assert lower <= shift <= upper
    back = hodges_lehmann(second, first, BOTH)
    assert back == pytest.approx((-shift, -upper, -lower), abs=1e-6)


def test_a_constant_shift_is_found_exactly():
    first = np.arange(12.0)
    assert hodges_lehmann(first, first + 3.0, BOTH)[0] == 3.0


def test_too_few_have_no_bounds():
    assert hodges_lehmann(np.zeros(2), np.ones(2), BOTH)[1:] == (-math.inf, math.inf)
    assert bounds(np.arange(5.0), BOTH) == (-math.inf, math.inf)


def test_six_values_bound_a_median_by_their_extremes():
    assert bounds(np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]), BOTH) == (1.0, 6.0)


def test_known_ranks_of_the_bounds():
    """n = 20 at 95 %: the 6th and the 15th (tables of the sign test)."""
    assert bounds(np.arange(1.0, 21.0), BOTH) == (6.0, 15.0)


def test_bounds_hold_as_often_as_they_promise():
    rng, wide = np.random.default_rng(1), Spending(within=0.05, beyond=0.05)
    held = shifted = 0
    for _ in range(1000):
        lower, upper = bounds(rng.exponential(size=15), wide)
        held += lower <= math.log(2) <= upper
        _, low, high = hodges_lehmann(rng.standard_normal(12), 1 + rng.standard_normal(13), wide)
        shifted += low <= 1 <= high
    assert held >= 890
    assert shifted >= 880


@settings(deadline=None)
@given(values=VALUES, least=st.floats(-10, 10), beyond=st.floats(1e-4, 0.1))
def test_the_verdict_on_a_median_agrees_with_its_bounds(values, least, beyond):
    judged = judge_median(values, values, least=least, spending=Spending(within=0.05, beyond=beyond))
    assert (judged.shown is Shown.WITHIN) == (judged.lower >= least)
    assert (judged.shown is Shown.BEYOND) == (judged.upper < least)
    assert (judged.growth == 1.0) or judged.shown is Shown.NEITHER


def test_a_reject_of_a_median_takes_as_many_values_as_its_error_is_small():
    for error, least in ((0.05, 5), (0.025, 6), (0.0025, 9)):
        assert least_values(error) == least
        low = np.zeros(least)
        for values, shown in ((low, Shown.BEYOND), (low[1:], Shown.NEITHER)):
            spending = Spending(within=0.05, beyond=error)
            assert judge_median(values, values, least=1.0, spending=spending).shown is shown
