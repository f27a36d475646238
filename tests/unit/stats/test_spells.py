"""Spells of the machine are told from a service's own slow requests, whichever side is which."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.spells import in_spells

BLOCK = 50


def steady(pairs=200):
    return np.ones(pairs), np.ones(pairs), np.arange(pairs) // BLOCK


def found(candidate, reference, blocks, most=1.0):
    return np.flatnonzero(in_spells(candidate, reference, blocks, most=most).pairs).tolist()


def noisy(seed, pairs=400):
    rng = np.random.default_rng(seed)
    spell = np.convolve(rng.random(pairs) < 0.02, np.ones(3))[:pairs] * rng.exponential(3.0, pairs)
    candidate, reference = np.exp(0.4 * rng.standard_normal((2, pairs))) + spell
    reference[rng.random(pairs) < 0.01] = np.inf
    return candidate, reference, np.arange(pairs) // BLOCK


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0))
def test_how_fast_a_side_is_makes_no_difference(seed, factor):
    candidate, reference, blocks = noisy(seed)
    spells = found(candidate, reference, blocks)
    assert found(candidate * factor, reference, blocks) == spells


@given(st.integers(0, 2**32 - 1), st.lists(st.booleans(), min_size=8, max_size=8))
def test_sides_that_change_places_in_some_blocks_have_the_same_spells(seed, flipped):
    candidate, reference, blocks = noisy(seed)
    there = np.array(flipped)[blocks]
    before = in_spells(candidate, reference, blocks, most=1.0)
    after = in_spells(
        np.where(there, reference, candidate), np.where(there, candidate, reference), blocks, most=1.0
    )
    assert np.array_equal(before.pairs, after.pairs)
    assert after.thinned == before.thinned


def test_neighbours_are_of_one_block():
    candidate, reference, blocks = steady()
    candidate[BLOCK - 1] = reference[BLOCK] = 2.0
    assert found(candidate, reference, blocks) == []


def heavy(rng, share, pairs=6000, *, spell=0.0):
    """Some requests take five times as long, for what they ask; and spells of the machine."""
    base = np.where(rng.random(pairs) < share, 5.0, 1.0)
    machine = np.convolve(rng.random(pairs) < spell, np.ones(3))[:pairs]
    candidate, reference = base * np.exp(0.1 * rng.standard_normal((2, pairs))) + machine
    return candidate, reference, np.arange(pairs) // 100


@pytest.mark.parametrize("share", [0.02, 0.055, 0.105])
def test_slow_requests_that_meet_by_chance_are_none(share):
    rng = np.random.default_rng(3)
    aside = [in_spells(*heavy(rng, share), most=0.25).pairs.mean() for _ in range(20)]
    assert np.mean(aside) < 0.001


@pytest.mark.parametrize("share", [0.012, 0.03, 0.055, 0.08])
def test_slow_requests_of_each_sides_own_are_none(share):
    rng = np.random.default_rng(5)
    blocks = np.arange(6000) // 100
    aside = []
    for _ in range(40):
        sides = np.where(rng.random((2, 6000)) < share, 5.0, 1.0)
        aside.append(in_spells(*sides, blocks, most=0.25).pairs.any())
    assert sum(aside) <= 3


def test_how_much_thinner_chance_makes_a_services_own_tail():
    rng = np.random.default_rng(4)
    own, left, thinned = 0.0, 0.0, []
    for _ in range(20):
        candidate, reference, blocks = heavy(rng, 0.04, spell=0.015)
        aside = in_spells(candidate, reference, blocks, most=0.25)
        slow = candidate > 4.0
        own, left = own + slow.mean(), left + slow[~aside.pairs].mean()
        thinned.append(aside.thinned)
    # The machine's own slow requests are taken for the services', so rather too much than too little.
    assert 1.0 - left / own <= np.mean(thinned) <= 3.0 * (1.0 - left / own)


def test_where_nothing_is_set_aside_a_quantile_lies_where_it_lay():
    aside = in_spells(*steady(), most=1.0)
    assert (aside.thinned, aside.level(0.95)) == (0.0, pytest.approx(0.95))


def test_both_sides_slow_beside_each_other_are_a_spell_with_the_pairs_around_it():
    candidate, reference, blocks = steady()
    candidate[70] = reference[71] = 2.0
    assert found(candidate, reference, blocks) == [69, 70, 71, 72]
    candidate, reference, blocks = steady()
    candidate[0] = reference[1] = 2.0
    assert found(candidate, reference, blocks) == [0, 1, 2]


@pytest.mark.parametrize("apart", [0, 2])
def test_a_payload_that_takes_long_and_slow_requests_apart_are_none(apart):
    candidate, reference, blocks = steady()
    candidate[70] = reference[70 + apart] = 10.0
    assert found(candidate, reference, blocks) == []


def test_what_one_side_does_alone_is_none():
    candidate, reference, blocks = steady()
    candidate[60:90] = 10.0
    assert found(candidate, reference, blocks) == []


def test_a_whole_block_that_is_slower_is_none():
    candidate, reference, blocks = steady()
    candidate[blocks == 1] = reference[blocks == 1] = 10.0
    assert found(candidate, reference, blocks) == []


def test_a_failed_request_is_never_set_aside():
    candidate, reference, blocks = steady()
    candidate[70] = reference[71] = 2.0
    candidate[72] = np.inf
    assert found(candidate, reference, blocks) == [69, 70, 71]
    candidate, reference, blocks = steady()
    candidate[70], reference[71] = np.inf, 2.0
    assert found(candidate, reference, blocks) == []


def test_more_than_the_most_are_what_the_services_are():
    candidate, reference, blocks = steady()
    for first in range(0, candidate.size - 1, 11):
        candidate[first] = reference[first + 1] = 2.0
    assert found(candidate, reference, blocks, most=0.3) == []
    assert len(found(candidate, reference, blocks)) > 0.3 * candidate.size
    assert found(*noisy(1), most=0.0) == []
