import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.stats.slope import theil_sen, theil_sen_interval

POINTS = st.lists(st.integers(-1000, 1000), min_size=2, max_size=30)


@given(POINTS, st.integers(-50, 50), st.integers(-50, 50))
def test_points_of_a_line_have_its_slope(x, slope, offset):
    assume(len(set(x)) > 1)
    assert theil_sen(x, [slope * at + offset for at in x]) == slope


def test_some_wild_points_do_not_carry_it_away():
    x = list(range(30))
    y = [2.0 * at for at in x]
    for at in (3, 11, 17, 25, 26, 29):
        y[at] = 1e9
    assert theil_sen(x, y) == pytest.approx(2.0, abs=0.5)


@pytest.mark.parametrize("full_at", [5, 8])
def test_what_grows_and_then_stays_has_none(full_at):
    x = np.arange(30)
    assert theil_sen(x, np.minimum(x, full_at) * 100.0) == 0
    assert theil_sen(x, x * 100.0) == 100


def test_points_above_each_other_have_none_that_could_be_told():
    with pytest.raises(ValueError, match="differ in x"):
        theil_sen([1, 1], [2, 3])


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "exponential"])
def test_the_interval_covers_the_slope_as_often_as_it_says(draw):
    random, runs, points = np.random.default_rng(7), 1000, 28
    x = np.arange(points) / 4
    covered = 0
    for _ in range(runs):
        lower, upper = theil_sen_interval(x, 3 * x + getattr(random, draw)(size=points), 0.95)
        covered += lower <= 3 <= upper
    assert 0.93 * runs <= covered <= 0.98 * runs


@given(st.lists(st.integers(-1000, 1000), min_size=10, max_size=30))
def test_the_slope_is_within_its_interval_and_the_surer_one_is_wider(y):
    x = range(len(y))
    lower, upper = theil_sen_interval(x, y, 0.9)
    wider = theil_sen_interval(x, y, 0.99)
    assert wider[0] <= lower <= theil_sen(x, y) <= upper <= wider[1]


def test_few_points_bound_nothing():
    assert theil_sen_interval([1, 2, 3], [1, 2, 3], 0.95) == (-np.inf, np.inf)
