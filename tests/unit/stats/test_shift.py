"""Shifts between two samples, and bounds of a median."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.shift import hodges_lehmann, median_bounds

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30).map(np.array)


@given(first=VALUES, second=VALUES)
def test_the_shift_lies_between_its_bounds_and_turns_with_the_samples(first, second):
    shift, lower, upper = hodges_lehmann(first, second, 0.95)
    assert lower <= shift <= upper
    back = hodges_lehmann(second, first, 0.95)
    assert back == pytest.approx((-shift, -upper, -lower), abs=1e-6)


def test_a_constant_shift_is_found_exactly():
    first = np.arange(12.0)
    assert hodges_lehmann(first, first + 3.0, 0.95)[0] == 3.0


def test_too_few_have_no_bounds():
    assert hodges_lehmann(np.zeros(2), np.ones(2), 0.95)[1:] == (-math.inf, math.inf)
    assert median_bounds(np.arange(5.0), 0.95) == (-math.inf, math.inf)


def test_six_values_bound_a_median_by_their_extremes():
    assert median_bounds(np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0]), 0.95) == (1.0, 6.0)


def test_known_ranks_of_the_bounds():
    """n = 20 at 95 %: the 6th and the 15th (tables of the sign test)."""
    assert median_bounds(np.arange(1.0, 21.0), 0.95) == (6.0, 15.0)


def test_bounds_hold_as_often_as_they_promise():
    rng = np.random.default_rng(1)
    held = shifted = 0
    for _ in range(1000):
        lower, upper = median_bounds(rng.exponential(size=15), 0.9)
        held += lower <= math.log(2) <= upper
        _, low, high = hodges_lehmann(rng.standard_normal(12), 1 + rng.standard_normal(13), 0.9)
        shifted += low <= 1 <= high
    assert held >= 890
    assert shifted >= 880
