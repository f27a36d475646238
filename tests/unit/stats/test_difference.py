"""The excess of one share of failures over another: bounds, symmetry, and its error rates by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.difference import judge_excess
from harness.stats.judgement import Shown, Spending
from harness.stats.proportions import clopper_pearson_upper

SPENDING = Spending(within=0.05, beyond=0.05)
PAIRS = 1200
GROUPS = np.arange(PAIRS) * 12 // PAIRS


def judged(candidate, reference, limit=0.01):
    return judge_excess(candidate, reference, GROUPS, limit=limit, spending=SPENDING)


def failing(rng, share):
    return rng.random(PAIRS) < share


def test_without_failures_it_is_the_exact_bound_of_none():
    never = np.zeros(PAIRS, dtype=bool)
    judgement = judged(never, never)
    assert judgement.shown is Shown.WITHIN
    assert judgement.upper == pytest.approx(clopper_pearson_upper(0, PAIRS, 0.05))
    assert judgement.lower == -judgement.upper
    assert judged(never, never, limit=0.001).shown is Shown.NEITHER


@pytest.mark.parametrize("background", [0.0, 0.02, 0.3])
def test_what_fails_on_both_sides_does_not_count(background):
    rng = np.random.default_rng(1)
    both, more = failing(rng, background), failing(rng, 0.1)
    assert judged(both, both).shown is Shown.WITHIN
    assert judged(both | more, both, limit=0.02).shown is Shown.BEYOND


def test_a_better_candidate_passes():
    rng = np.random.default_rng(2)
    assert judged(failing(rng, 0.01), failing(rng, 0.2)).shown is Shown.WITHIN


def test_all_failed_is_beyond_and_a_dead_reference_is_not():
    always, never = np.ones(PAIRS, dtype=bool), np.zeros(PAIRS, dtype=bool)
    assert judged(always, never).shown is Shown.BEYOND
    assert judged(never, always).shown is judged(always, always).shown is Shown.WITHIN


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), ours=st.floats(0, 1), theirs=st.floats(0, 1), limit=st.floats(0.001, 0.5))
def test_verdict_bounds_and_what_is_detectable_agree(seed, ours, theirs, limit):
    rng = np.random.default_rng(seed)
    candidate, reference = failing(rng, ours), failing(rng, theirs)
    judgement = judged(candidate, reference, limit)
    assert judgement.lower <= judgement.observed <= judgement.upper
    assert (judgement.shown is Shown.WITHIN) == (judgement.upper <= limit)
    assert (judgement.shown is Shown.BEYOND) == (judgement.lower > limit)
    assert (judgement.shown is Shown.BEYOND) == (judgement.observed >= judgement.detectable)
    assert judgement.growth >= 1
    mirrored = judged(reference, candidate, limit)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-judgement.upper, -judgement.lower))


def memory(rng, rho):
    noise = np.empty(PAIRS)
    noise[0] = rng.standard_normal()
    steps = math.sqrt(1 - rho * rho) * rng.standard_normal(PAIRS)
    for i in range(1, PAIRS):
        noise[i] = rho * noise[i - 1] + steps[i]
    return np.exp(noise - 0.5)


def independent(rng, base, excess):
    return failing(rng, base + excess), failing(rng, base)


def together(rng, base, excess):
    """Both fail more often at the same times."""
    rate = np.minimum(1, base * memory(rng, 0.98))
    return failing(rng, rate) | failing(rng, excess / (1 - base)), failing(rng, rate)


def each_by_itself(rng, base, excess):
    """Both fail in spells of their own."""
    ours, theirs = (np.minimum(1, base * memory(rng, 0.9)) for _ in range(2))
    return failing(rng, ours) | failing(rng, excess / (1 - base)), failing(rng, theirs)


@pytest.mark.parametrize("noise", [independent, each_by_itself])
def test_at_the_margin_either_verdict_is_as_rare_as_promised(noise):
    rng, runs = np.random.default_rng(3), 60
    shown = [judged(*noise(rng, 0.03, 0.02), limit=0.02).shown for _ in range(runs)]
    # 5 % each are promised: 10 or more of 60 would have a chance of 0.1 %.
    assert shown.count(Shown.WITHIN) < 10
    assert shown.count(Shown.BEYOND) < 10


@pytest.mark.slow
@pytest.mark.parametrize("base", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("noise", [independent, together, each_by_itself])
def test_at_any_background_either_verdict_is_as_rare_as_promised(noise, base):
    rng, runs = np.random.default_rng(4), 100
    shown = [judged(*noise(rng, base, 0.02), limit=0.02).shown for _ in range(runs)]
    # 5 % each are promised: 14 or more of 100 would have a chance of 0.05 %.
    assert shown.count(Shown.WITHIN) < 14
    assert shown.count(Shown.BEYOND) < 14
