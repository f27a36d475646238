"""The test of costs: bounds that agree with the verdict, known costs, and its error rates by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.cost import judge_cost, log_costs
from harness.stats.groups import GROUPS
from harness.stats.judgement import Shown, Spending

SPENDING = Spending(within=0.01, beyond=0.002)


def logs_of(seed, *, centre=1.0, sd=0.02, groups=GROUPS):
    return math.log(centre) + sd * np.random.default_rng(seed).standard_normal(groups)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    centre=st.floats(0.5, 2.0),
    sd=st.floats(0.001, 0.3),
    groups=st.integers(1, GROUPS),
    limit=st.floats(0.7, 1.5),
)
def test_verdict_and_bounds_agree(seed, centre, sd, groups, limit):
    judged = judge_cost(logs_of(seed, centre=centre, sd=sd, groups=groups), limit=limit, spending=SPENDING)
    assert judged.lower <= judged.observed <= judged.upper
    assert (judged.shown is Shown.WITHIN) == (judged.upper <= limit * (1 + 1e-9))
    assert (judged.shown is Shown.BEYOND) == (judged.lower > limit * (1 - 1e-9))
    assert judged.growth >= 1.0
    assert judged.detectable >= limit * (1 - 1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), centre=st.floats(0.8, 1.25), unit=st.floats(0.001, 1000))
def test_units_do_not_matter_and_swapping_the_sides_inverts_the_bounds(seed, centre, unit):
    logs, even = logs_of(seed, centre=centre), Spending(within=0.01, beyond=0.01)
    judged = judge_cost(logs, limit=1.1, spending=even)
    scaled = judge_cost(logs + math.log(unit), limit=1.1 * unit, spending=even)
    assert scaled.upper == pytest.approx(judged.upper * unit)
    assert scaled.lower == pytest.approx(judged.lower * unit)
    swapped = judge_cost(-logs, limit=1 / 1.1, spending=even)
    assert swapped.lower == pytest.approx(1 / judged.upper)
    assert swapped.upper == pytest.approx(1 / judged.lower)


@pytest.mark.parametrize(
    ("centre", "shown"),
    [(0.8, "within"), (1.0, "within"), (1.1, "neither"), (1.2, "beyond"), (5.0, "beyond")],
)
def test_known_costs(centre, shown):
    judged = judge_cost(logs_of(3, centre=centre), limit=1.1, spending=SPENDING)
    assert judged.shown is Shown(shown)
    assert judged.lower < centre < judged.upper


def test_a_longer_load_is_told_where_nothing_is_shown_yet():
    logs = logs_of(4, centre=1.07, sd=0.05)
    judged = judge_cost(logs, limit=1.1, spending=SPENDING)
    assert judged.shown is Shown.NEITHER
    assert 1.0 < judged.growth < math.inf


@pytest.mark.parametrize("groups", [1, 3, 6])
def test_too_few_groups_show_nothing_however_clear_they_are(groups):
    judged = judge_cost(np.full(groups, math.log(9.0)), limit=1.1, spending=SPENDING)
    assert judged.shown is Shown.NEITHER
    assert (judged.lower, judged.upper, judged.growth) == (0.0, math.inf, math.inf)


def test_one_wild_group_does_not_decide():
    logs = np.append(logs_of(5, groups=GROUPS - 1), math.log(4.0))
    assert judge_cost(logs, limit=1.05, spending=SPENDING).shown is not Shown.BEYOND


@pytest.mark.parametrize("logs", [[], [0.0, math.inf], [0.0, math.nan]])
def test_without_finite_costs_there_is_nothing_to_judge(logs):
    with pytest.raises(ValueError, match="finite"):
        judge_cost(np.array(logs), limit=1.1, spending=SPENDING)


def test_the_cost_of_a_group_is_all_that_was_used_over_all_that_was_answered():
    used, answered = np.array([1.0, 3.0, 5.0, 0.0]), np.array([2.0, 2.0, 0.0, 4.0])
    groups = np.array([0, 0, 1, 2])
    assert np.exp(log_costs(used, answered, groups)).tolist() == [1.0, math.inf, 0.0]


def _noise(rng, runs, groups, kind):
    """Logs of groups around 0: independent, heavy-tailed, or remembering a fifth of the group before."""
    noise = rng.standard_normal((runs, groups))
    if kind == "heavy-tailed":
        return 0.02 * rng.standard_t(2, (runs, groups))
    if kind == "autocorrelated":
        for group in range(1, groups):
            noise[:, group] = 0.2 * noise[:, group - 1] + math.sqrt(1 - 0.2**2) * noise[:, group]
    return 0.02 * noise


@pytest.mark.parametrize(
    ("kind", "level"), [("independent", 0.05), ("heavy-tailed", 0.05), ("autocorrelated", 0.1)]
)
def test_a_cost_at_its_limit_is_wrongly_decided_no_more_often_than_promised(kind, level):
    runs = 300
    logs = math.log(1.1) + _noise(np.random.default_rng(6), runs, GROUPS, kind)
    even = Spending(within=0.05, beyond=0.05)
    shown = [judge_cost(row, limit=1.1, spending=even).shown for row in logs]
    most = level + 3 * math.sqrt(level * (1 - level) / runs)
    assert shown.count(Shown.WITHIN) / runs <= most
    assert shown.count(Shown.BEYOND) / runs <= most


@pytest.mark.parametrize(("kind", "level"), [("independent", 0.05), ("heavy-tailed", 0.05)])
def test_the_interval_covers_the_true_cost_as_often_as_it_says(kind, level):
    runs = 300
    logs = _noise(np.random.default_rng(7), runs, GROUPS, kind)
    judged = [judge_cost(row, limit=1.1, spending=Spending(within=level, beyond=level)) for row in logs]
    missed = sum(not each.lower <= 1.0 <= each.upper for each in judged) / runs
    assert missed <= 2 * level + 3 * math.sqrt(2 * level / runs)


def test_eight_per_cent_more_at_a_margin_of_five_is_found_with_the_noise_that_was_measured():
    """The log ratio of two identical containers had a standard deviation of 0.011 over 5 s."""
    sd = 0.011 * math.sqrt(5.0 * GROUPS / 30.0)
    found = [
        judge_cost(
            logs_of(seed, centre=1.08, sd=sd), limit=1.05, spending=Spending(within=0.02, beyond=0.003)
        ).shown
        for seed in range(200)
    ]
    assert found.count(Shown.BEYOND) >= 190
    assert Shown.WITHIN not in found
