"""Warm-up by ranks: what is found, what is left alone, and how often it is a false alarm."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.warmup import FALSE_ALARM, first_are_slow, settled_after


def steady(rng, blocks=120):
    return 2.0 * np.exp(0.1 * rng.standard_normal(blocks))


@given(st.lists(st.integers(0, 5), min_size=4, max_size=9).map(lambda values: np.array(values, dtype=float)))
def test_the_chances_are_those_of_counting_all_subsets(values):
    ranks = [int((values < value).sum()) for value in values]
    for k, chance in enumerate(first_are_slow(values, values.size // 2), start=1):
        sums = [sum(chosen) for chosen in combinations(ranks, k)]
        assert chance == pytest.approx(np.mean([total >= sum(ranks[:k]) for total in sums]))


@pytest.mark.parametrize("blocks", [30, 120, 240])
@pytest.mark.parametrize("share", [0.1, 0.15])
def test_a_warm_up_is_found_where_it_ends(blocks, share):
    medians = steady(np.random.default_rng(1), blocks)
    warming = round(share * blocks)
    medians[:warming] *= np.linspace(3, 1.5, warming)
    assert warming - blocks // 30 <= settled_after(medians, most=0.2) <= 0.2 * blocks


@pytest.mark.parametrize(
    "shape",
    [
        np.ones(120),
        np.linspace(3, 1, 120),  # it never settles
        np.where(np.arange(120) < 40, 3.0, 1.0),  # too late
        np.where(np.arange(120) < 12, 0.5, 1.0),  # it gets slower
        np.where(np.arange(120) < 12, np.inf, 1.0),  # it fails
        np.where(np.arange(120) > 100, 3.0, 1.0),
        np.zeros(120),
    ],
)
def test_what_is_no_warm_up_is_left_alone(shape):
    assert settled_after(shape * steady(np.random.default_rng(2)), most=0.2) == 0


def test_what_is_hardly_slower_is_left_alone():
    medians = np.where(np.arange(120) < 12, 1.05, 1.0) * np.exp(
        0.001 * np.random.default_rng(3).standard_normal(120)
    )
    assert settled_after(medians, most=0.2) == 0


@pytest.mark.parametrize("blocks", [0, 1, 2, 5])
def test_few_blocks_show_nothing(blocks):
    assert settled_after(np.linspace(9, 1, blocks), most=0.5) == 0


@given(seed=st.integers(0, 10_000), scale=st.floats(0.001, 1000), most=st.floats(0, 0.5))
def test_no_more_is_left_out_than_allowed_and_units_do_not_matter(seed, scale, most):
    medians = steady(np.random.default_rng(seed), 40) * np.where(np.arange(40) < seed % 20, 2.0, 1.0)
    settled = settled_after(medians, most=most)
    assert 0 <= settled <= most * 40
    assert settled_after(scale * medians, most=most) == settled


@pytest.mark.parametrize("blocks", [12, 30, 120])
def test_false_alarms_are_as_rare_as_promised(blocks):
    rng, runs = np.random.default_rng(4), 400
    alarms = sum(settled_after(np.exp(rng.standard_normal(blocks)), most=0.5) > 0 for _ in range(runs))
    # 12 or more of 400 at 1 % would have a chance of 0.1 %.
    assert FALSE_ALARM == 0.01
    assert alarms < 12
