"""Capacity: the search, one trial, and what the repeats show."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.latency.capacity import LatencyCapacity
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.loads import CapacitySettings
from harness.checks.latency.searched import CapacityEvidence, Searched, join_trials
from harness.checks.latency.trial import Trial, highest, try_rate
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.load import RequestOutcome, Samples
from harness.model import Outcome

LIMITS = LatencyLimits.model_validate({"p95": {"slo_ms": 50}, "capacity": {"min_per_s": 100, "margin": 0.15}})


@given(rungs=st.integers(1, 200), capacity=st.integers(-1, 199))
def test_the_search_finds_the_highest_rung_in_few_trials(rungs, capacity):
    tried = []

    def meets(rung):
        tried.append(rung)
        return rung <= capacity

    assert highest(rungs, meets) == min(capacity, rungs - 1)
    assert len(tried) <= math.ceil(math.log2(rungs + 1))
    assert len(set(tried)) == len(tried)


def block(response_s, rate_per_s=100.0):
    n = response_s.size
    intended_s = np.arange(n) / rate_per_s
    failed = np.isinf(response_s)
    return Samples(
        side=np.zeros(n, dtype=np.int8),
        block=np.zeros(n, dtype=np.int32),
        payload=np.zeros(n, dtype=np.int32),
        intended_s=intended_s,
        sent_s=intended_s,
        done_s=intended_s + np.where(failed, 0.001, response_s),
        status=np.zeros(n, dtype=np.int16),
        outcome=np.where(failed, RequestOutcome.TIMEOUT, RequestOutcome.OK).astype(np.int8),
        body_bytes=np.zeros(n, dtype=np.int32),
        heartbeat_s=np.zeros(1),
        cpu_s=np.ones(1),
        wall_s=np.ones(1),
    )


SLO = {"p95": (0.95, 50.0)}


def test_a_trial_meets_what_it_meets():
    trial = try_rate(block(np.full(200, 0.02)), 100.0, SLO, 0.01)
    assert trial.met
    assert trial.answered_per_s == pytest.approx(100, rel=0.02)


def test_a_queue_that_grows_is_saturation_though_the_quantile_is_kept():
    growing = try_rate(block(np.linspace(0.001, 0.8, 400)), 100.0, {"p95": (0.95, 1000.0)}, 0.01)
    assert not growing.met
    assert growing.backlog > 0.05
    assert growing.answered_per_s < 90


def test_requests_in_flight_that_fluctuate_are_no_queue():
    """As many servers as there are requests, 1,000 arrivals a second of 50 to 350 ms: no queue, ever."""
    rng, saturated = np.random.default_rng(1), 0
    for _ in range(300):
        seen = block(rng.uniform(0.05, 0.35, 1000), 1000.0)
        arrivals_s = np.cumsum(rng.exponential(0.001, 1000))
        seen = replace(seen, intended_s=arrivals_s, sent_s=arrivals_s, done_s=arrivals_s + seen.response_s)
        saturated += not try_rate(seen, 1000.0, {"p95": (0.95, 1000.0)}, 0.01).met
    assert saturated <= 3


def test_slow_or_failed_requests_do_not_meet_the_limits():
    assert not try_rate(block(np.full(200, 0.06)), 100.0, SLO, 0.01).met
    some = np.full(200, 0.01)
    some[:5] = np.inf
    assert not try_rate(block(some), 100.0, SLO, 0.01).met
    assert try_rate(block(some), 100.0, SLO, 0.05).met


def searched(capacity_per_s, lag_ms=0.1, **changes):
    trial = Trial(
        rate_per_s=400.0,
        answered_per_s=250.0,
        times_ms={"p95": math.inf},
        failed=0.0,
        backlog=0.4,
        lag_p99_ms=lag_ms,
        met=False,
    ).model_copy(update=changes)
    return Searched(capacity_per_s=capacity_per_s, trials=(trial,))


def evidence(own, theirs=None, **changes):
    columns = [own] if theirs is None else [theirs, own]
    asked = {
        "expected": 6,
        "executed": len(own),
        "sides": ("reference", "candidate")[-len(columns) :],
        "slo_ms": {"p95": 50.0},
        "max_error_rate": 0.01,
        "most_per_s": 400.0,
        "seed": 1,
        "repeats": tuple(tuple(searched(each) for each in row) for row in zip(*columns, strict=True)),
    }
    return CapacityEvidence(**(asked | changes))


def outcomes(seen, limits=LIMITS):
    found = LatencyCapacity().judge(seen, limits)
    return {item.id.removeprefix("latency.capacity."): item.outcome for item in found}


def noisy(mean, seed, n=8):
    return mean * np.exp(0.03 * np.random.default_rng(seed).standard_normal(n))


def test_an_equal_candidate_passes():
    assert set(outcomes(evidence(noisy(200, 1), noisy(200, 2))).values()) == {Outcome.PASS}


def test_a_candidate_that_stands_half_fails_both():
    found = outcomes(evidence(noisy(90, 1), noisy(200, 2)))
    assert found["min"] is found["ratio"] is Outcome.FAIL


def test_few_repeats_show_nothing():
    found = outcomes(evidence(noisy(50, 1, 5), noisy(200, 2, 5)))
    assert found["min"] is found["ratio"] is Outcome.INCONCLUSIVE
    assert set(outcomes(evidence(noisy(50, 1, 0))).values()) == {Outcome.INCONCLUSIVE}


def test_alone_it_takes_a_least_rate():
    assert outcomes(evidence(noisy(200, 1)))["min"] is Outcome.PASS
    nothing = LatencyLimits.model_validate({"p95": {"slo_ms": 50}})
    found = outcomes(evidence(noisy(200, 1)), nothing)
    assert found["limits"] is Outcome.INCONCLUSIVE
    assert found["ratio"] is Outcome.NOT_APPLICABLE


def test_a_ladder_that_is_too_short_compares_nothing():
    assert outcomes(evidence([400.0] * 8, [400.0] * 8))["ratio"] is Outcome.INCONCLUSIVE
    assert outcomes(evidence([200.0] * 8, [400.0] * 8))["ratio"] is Outcome.FAIL
    assert outcomes(evidence([400.0] * 8, [200.0] * 8))["ratio"] is Outcome.PASS
    assert outcomes(evidence([200.0] * 8, [0.0] * 8))["ratio"] is Outcome.INCONCLUSIVE
    assert outcomes(evidence([0.0] * 8, [200.0] * 8))["ratio"] is Outcome.FAIL


def test_a_late_generator_or_other_limits_decide_nothing():
    late = evidence(noisy(90, 1), noisy(200, 2))
    late = late.model_copy(update={"repeats": tuple((searched(90), searched(9, 50)) for _ in range(8))})
    assert outcomes(late)["ratio"] is Outcome.INCONCLUSIVE
    other = evidence(noisy(200, 1), noisy(200, 2), slo_ms={"p95": 40.0})
    assert outcomes(other)["min"] is Outcome.INCONCLUSIVE


def test_a_reference_that_the_machine_held_back_flatters_nobody():
    for lag_ms, own, outcome in (
        (0.1, 100, Outcome.PASS),
        (50, 100, Outcome.INCONCLUSIVE),
        (50, 9, Outcome.FAIL),
    ):
        rows = tuple((searched(100, lag_ms), searched(own)) for _ in range(8))
        found = outcomes(evidence([own] * 8, [100] * 8).model_copy(update={"repeats": rows}))
        assert found["ratio"] is outcome


@pytest.mark.parametrize("ailing", [{"lag_p99_ms": 6.0}, {"heartbeat_p99_ms": 6.0}, {"steal_share": 0.3}])
def test_what_ails_a_trial_by_a_tenth_of_its_limit_decides_nothing(ailing):
    late = evidence(noisy(90, 1), noisy(200, 2))
    for changes, outcome in ((ailing, Outcome.INCONCLUSIVE), ({}, Outcome.FAIL)):
        rows = tuple((searched(200), searched(90, **changes)) for _ in range(8))
        assert outcomes(late.model_copy(update={"repeats": rows}))["ratio"] is outcome


def test_a_generator_that_failed_leaves_what_was_found_and_decides_nothing():
    found = outcomes(evidence(noisy(90, 1), noisy(200, 2), generator_error="it died"))
    assert found["min"] is found["ratio"] is Outcome.INCONCLUSIVE
    assert found["saturation"] is Outcome.PASS


def test_the_error_of_a_reject_is_divided_among_the_latency_checks():
    assert outcomes(evidence(noisy(90, 1), noisy(200, 2), checks=5))["ratio"] is Outcome.FAIL
    assert outcomes(evidence(noisy(90, 1), noisy(200, 2), checks=50))["ratio"] is Outcome.INCONCLUSIVE


def stored(tmp_path):
    parts = [block(np.full(40, 0.02 + 0.05 * number)) for number in range(2)]
    trials = [try_rate(part, 100.0, SLO, 0.01) for part in parts]
    seen = evidence(
        [],
        repeats=((Searched(capacity_per_s=100.0, trials=tuple(trials)),),),
        sides=("candidate",),
        probabilities={"p95": 0.95},
        samples=join_trials(parts),
    )
    seen.save(tmp_path, lambda text: text)
    return seen


def test_the_requests_of_the_trials_lie_beside_and_are_held_against_them(tmp_path):
    seen = stored(tmp_path)
    again = CapacityEvidence.load(tmp_path)
    assert again.repeats == seen.repeats
    assert again.samples.side.size == 80
    path = tmp_path / "evidence.json"
    path.write_text(path.read_text().replace('"met": false', '"met": true'))
    with pytest.raises(ValueError, match="trial 1 was another"):
        CapacityEvidence.load(tmp_path)


def test_no_more_requests_are_stored_than_may_be(monkeypatch):
    monkeypatch.setattr("harness.checks.latency.searched.MOST_SAMPLES", 100)
    assert join_trials([block(np.full(40, 0.02))] * 5).side.size == 80
    monkeypatch.setattr("harness.checks.latency.searched.MOST_SAMPLES", 10)
    assert join_trials([block(np.full(40, 0.02))]) is None


@given(own=st.lists(st.just(0.0) | st.floats(1, 400), max_size=12), factor=st.just(0.0) | st.floats(0.1, 3))
def test_the_judge_is_total(own, factor):
    assert outcomes(evidence(own, [each * factor for each in own]))
    assert outcomes(evidence(own))


def test_stored_searches_are_judged_alike(tmp_path):
    seen = evidence(noisy(90, 1), noisy(200, 2))
    seen.save(tmp_path, lambda text: text)
    assert outcomes(CapacityEvidence.load(tmp_path)) == outcomes(seen)


def test_the_ladder_reaches_from_the_lowest_rate_to_the_highest():
    ladder = CapacitySettings(least_per_s=20, most_per_s=400).ladder
    assert ladder[0] == 1
    assert 400 / 1.1 < 20 * ladder[-1] <= 400


HEAD = """
schema_version = 1
name = "capacity"
[service]
port = 8000
ready_path = "/"
[latency]
request = { path = "/" }
"""


FEW_REPEATS = """capacity = { least_per_s = 20, most_per_s = 200, repeats = 6 }
limits = { confidence = 0.99, p50 = { slo_ms = 9 } }
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("capacity = { least_per_s = 20, most_per_s = 200 }", "at least one quantile"),
        ("capacity = { least_per_s = 20, most_per_s = 20 }", "a step above"),
        ("capacity = { least_per_s = 5, most_per_s = 50 }", "20 arrivals"),
        (
            FEW_REPEATS,
            "repeats must be at least 8",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(text, problem):
    with pytest.raises(ConfigError, match=problem):
        parse_suite(HEAD + text, Path("gate.toml"))
