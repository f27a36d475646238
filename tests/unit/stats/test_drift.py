"""Distances between distributions of predictions: known values, and how often their bounds are right."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.drift import (
    Divergence,
    bin_edges,
    divergences,
    jensen_shannon,
    joint_counts,
    population_stability_index,
)
from harness.stats.judgement import Shown

COUNTS = st.lists(st.integers(0, 10_000), min_size=2, max_size=12)


def smoothed(counts):
    values = [count + 0.5 for count in counts]
    return [value / sum(values) for value in values]


@st.composite
def two_distributions(draw):
    first = draw(COUNTS)
    second = draw(st.lists(st.integers(0, 10_000), min_size=len(first), max_size=len(first)))
    return np.array(first, float), np.array(second, float)


@given(two_distributions())
def test_measures_are_what_their_formulas_say(both):
    p, q = smoothed(both[0]), smoothed(both[1])
    psi = math.fsum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))
    assert float(population_stability_index(*both)) == pytest.approx(psi, abs=1e-9)
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    bits = [
        sum(share * math.log2(share / centre) for share, centre in zip(side, middle, strict=True))
        for side in (p, q)
    ]
    assert float(jensen_shannon(*both)) == pytest.approx(sum(bits) / 2, abs=1e-9)


@given(two_distributions())
def test_measures_are_symmetric_and_bounded(both):
    forth, back = population_stability_index(*both), population_stability_index(*both[::-1])
    assert float(forth) == pytest.approx(float(back))
    assert float(forth) >= -1e-12
    assert -1e-12 <= float(jensen_shannon(*both)) <= 1


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(2, 20))
def test_bins_are_few_and_without_ties_none_is_empty(values, bins):
    edges = bin_edges(np.array(values), bins)
    assert len(edges) <= bins
    assert (np.diff(edges) > 0).all()
    distinct = np.array(sorted(set(values)))
    if len(distinct) >= bins:
        edges = bin_edges(distinct, bins)
        counts = np.bincount(np.searchsorted(edges, distinct, side="right"), minlength=len(edges) + 1)
        assert (counts > 0).all()


@pytest.mark.parametrize("values", [[0.5] * 100, [0.0] * 95 + [0.1] * 5, [0.1] * 5 + [1.0] * 95])
def test_a_value_that_most_have_has_a_bin_of_its_own(values):
    reference = np.array(values)
    often = max(set(values), key=values.count)
    edges = bin_edges(reference, 10, tie=1e-6)

    def bin_of(value):
        return int(np.searchsorted(edges, value, side="right"))

    assert bin_of(often - 1e-9) == bin_of(often) == bin_of(often + 1e-9)
    assert bin_of(often - 0.01) != bin_of(often) or often == min(values) != max(values)
    assert bin_of(often + 0.01) != bin_of(often) or often == max(values) != min(values)


def test_bins_hold_equal_shares_where_there_are_no_ties():
    values = np.random.default_rng(0).normal(size=1000)
    counts = np.bincount(np.searchsorted(bin_edges(values, 10), values, side="right"))
    assert set(counts) <= {99, 100, 101}


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=300))
def test_joint_counts_keep_both_margins(pairs):
    reference, candidate = (np.array(side) for side in zip(*pairs, strict=True))
    joint = joint_counts(reference, candidate, 5)
    assert joint.sum(axis=1).tolist() == np.bincount(reference, minlength=5).tolist()
    assert joint.sum(axis=0).tolist() == np.bincount(candidate, minlength=5).tolist()


def test_services_that_answer_alike_have_no_distance_however_few_requests():
    found = divergences(np.diag([3, 2, 1]), confidence=0.95, seed=1)
    assert found.psi == Divergence(observed=0, lower=0, upper=0)
    assert found.jensen_shannon.upper == 0


def test_the_same_seed_gives_the_same_bounds_and_another_does_not():
    joint = np.array([[40, 10], [0, 50]])
    first, again, other = (divergences(joint, confidence=0.95, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_is_shown_of_a_limit():
    found = Divergence(observed=0.2, lower=0.1, upper=0.3)
    assert [found.shown(limit) for limit in (0.05, 0.1, 0.2, 0.3, 0.4)] == [
        Shown.BEYOND,
        Shown.NEITHER,
        Shown.NEITHER,
        Shown.WITHIN,
        Shown.WITHIN,
    ]


@pytest.mark.parametrize("step", [1, 7], ids=["to the next bin", "to the last bin"])
@pytest.mark.parametrize("moved", [0.02, 0.10, 0.30])
def test_bounds_are_wrong_no_more_often_than_they_say(moved, step):
    """A share of the requests moves up; the truth is the PSI of the whole population."""
    bins, requests, tries = 8, 500, 100
    cells = np.zeros((bins, bins))
    for at in range(bins):
        cells[at, at] += (1 - moved) / bins
        cells[at, min(at + step, bins - 1)] += moved / bins
    truth = float(population_stability_index(*(1e9 * cells.sum(axis=axis) for axis in (1, 0))))
    generator = np.random.default_rng(5)
    too_high = too_low = 0
    for seed in range(tries):
        joint = generator.multinomial(requests, cells.ravel()).reshape(bins, bins)
        found = divergences(joint, confidence=0.95, seed=seed).psi
        too_high += found.lower > truth
        too_low += found.upper < truth
    # 5 % each by promise, and what 100 tries may show of that: P[Bin(100, 0.05) > 11] < 1 %.
    assert max(too_high, too_low) <= 11
