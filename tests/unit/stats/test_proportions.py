"""Clopper-Pearson bounds and the worth of dependent samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.groups import GROUPS, group_of_block, sum_by_group
from harness.stats.proportions import (
    Dependence,
    clopper_pearson_lower,
    clopper_pearson_upper,
    dependence,
    shown_above,
    shown_at_most,
)


@pytest.mark.parametrize(
    ("successes", "samples", "alpha", "lower", "upper"),
    [
        (0, 100, 0.05, 0.0, 1 - 0.05**0.01),
        (5, 100, 0.025, 0.0164319, 0.1128349),
        (10, 20, 0.025, 0.2719579, 0.7280421),
        (100, 100, 0.05, 0.05**0.01, 1.0),
    ],
)
def test_clopper_pearson_known_values(successes, samples, alpha, lower, upper):
    assert clopper_pearson_lower(successes, samples, alpha) == pytest.approx(lower, abs=1e-6)
    assert clopper_pearson_upper(successes, samples, alpha) == pytest.approx(upper, abs=1e-6)


@given(n=st.integers(1, 500), data=st.data(), limit=st.floats(0.01, 0.99), alpha=st.floats(0.001, 0.2))
def test_tests_and_bounds_say_the_same(n, data, limit, alpha):
    t = data.draw(st.integers(0, n))
    upper, lower = clopper_pearson_upper(t, n, alpha), clopper_pearson_lower(t, n, alpha)
    if abs(upper - limit) > 1e-9:
        assert shown_at_most(t, n, limit, alpha) == (upper < limit)
    if abs(lower - limit) > 1e-9:
        assert shown_above(t, n, limit, alpha) == (lower > limit)


def test_independent_hits_are_worth_themselves():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(12), 250)
    effects = [dependence(rng.random(3000) < 0.05, groups).design_effect for _ in range(200)]
    assert np.mean(effects) < 1.3


def test_hits_in_bursts_are_worth_less():
    hits = np.zeros(3000, dtype=bool)
    hits[500:650] = True
    spread = dependence(hits, np.repeat(np.arange(12), 250))
    assert spread.design_effect > 50
    assert spread.worth(0.05) < 1 / 50


@pytest.mark.parametrize("hits", [np.zeros(100, dtype=bool), np.ones(100, dtype=bool)])
def test_no_events_show_no_dependence(hits):
    assert dependence(hits, np.repeat(np.arange(4), 25)).design_effect == 1.0


def test_few_groups_cost_more_than_the_design_effect():
    assert Dependence(design_effect=2.0, groups=12).worth(0.01) < 0.5
    assert Dependence(design_effect=1.0, groups=12).worth(0.01) == 1.0
    # So few may look independent by chance.
    worths = [Dependence(design_effect=1.0, groups=groups).worth(0.01) for groups in range(1, 12)]
    assert worths == sorted(worths)
    assert worths[0] == 0.0
    assert worths[-1] < 1.0


@given(blocks=st.integers(1, 300))
def test_groups_are_contiguous_and_even(blocks):
    groups = group_of_block(blocks)
    sizes = np.bincount(groups)
    assert (np.diff(groups) >= 0).all()
    assert sizes.size == min(GROUPS, blocks)
    assert sizes.max() - sizes.min() <= 1


def test_sum_by_group():
    assert sum_by_group(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 0])).tolist() == [5.0, 2.0]
