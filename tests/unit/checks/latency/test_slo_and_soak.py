"""The candidate alone: at the rate of production, and for long."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.slo import LatencySlo
from harness.checks.latency.soak import LatencySoak
from harness.checks.latency.usage import Usage
from harness.checks.latency.view import View
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.load import RequestOutcome, Samples
from harness.model import Outcome

HEAD = """
schema_version = 1
name = "alone"
[service]
port = 8000
ready_path = "/"
[latency]
request = { path = "/" }
"""
BLOCK = 100
LIMITS = LatencyLimits.model_validate({"p50": {"slo_ms": 20}, "p99": {"slo_ms": 60}})


def evidence(times_s, memory=(), blocks=12, **changes):
    """Blocks of 100 arrivals, 100 a second; `times_s` (n,) are response times, inf for a failure."""
    n = blocks * BLOCK
    intended_s = np.arange(n) * 0.01
    failed = np.isinf(times_s)
    return LatencyEvidence(
        expected=5,
        executed=n,
        sides=("candidate",),
        rate_per_s=100.0,
        planned_blocks=blocks,
        seed=1,
        unix_offset_s=0.0,
        usage=Usage(memory_bytes=tuple((each,) for each in memory), cpu_s=((0.1,),) * len(memory)),
        samples=Samples(
            side=np.zeros(n, dtype=np.int8),
            block=np.repeat(np.arange(blocks), BLOCK).astype(np.int32),
            payload=np.zeros(n, dtype=np.int32),
            intended_s=intended_s,
            sent_s=intended_s,
            done_s=intended_s + np.where(failed, 0.001, times_s),
            status=np.full(n, 200, dtype=np.int16),
            outcome=np.where(failed, RequestOutcome.WRONG_STATUS, RequestOutcome.OK).astype(np.int8),
            body_bytes=np.zeros(n, dtype=np.int32),
            heartbeat_s=np.zeros(1),
            cpu_s=np.full(blocks, 0.1),
            wall_s=np.ones(blocks),
        ),
    ).model_copy(update=changes)


def times(n=1200, seed=1):
    return 0.005 * np.exp(0.1 * np.random.default_rng(seed).standard_normal(n))


def queueing(service_s, blocks=12):
    """One server, arrivals each 10 ms, that starts each block idle."""
    done_s, waits = 0.0, []
    for row in range(blocks * BLOCK):
        arrived_s = row * 0.01
        done_s = max(arrived_s, arrived_s if row % BLOCK == 0 else done_s) + service_s
        waits.append(done_s - arrived_s)
    return np.array(waits)


def outcomes(check, seen, limits=LIMITS):
    found = check.judge(seen, limits)
    assert {item.id.rpartition(check.id)[0] for item in found} == {""}
    return {item.id.removeprefix(f"{check.id}."): item.outcome for item in found}


def test_a_service_that_keeps_up_within_its_limits_passes():
    found = outcomes(LatencySlo(), evidence(times()))
    assert set(found.values()) == {Outcome.PASS}
    assert {"p50.slo", "p99.slo", "error_rate", "throughput", "generator_lag"} <= set(found)
    assert not [name for name in found if name.endswith("ratio")]


def test_a_service_that_does_not_keep_up_fails_its_throughput():
    patient = LatencyLimits.model_validate({"p50": {"slo_ms": 1e6}})
    found = outcomes(LatencySlo(), evidence(queueing(0.013)), patient)
    assert found["throughput"] is Outcome.FAIL
    assert found["p50.slo"] is Outcome.PASS


def test_slow_answers_fail_the_limit_and_not_the_throughput():
    found = outcomes(LatencySlo(), evidence(times() * 10))
    assert found["p50.slo"] is Outcome.FAIL
    assert found["throughput"] is Outcome.PASS


def test_failures_are_no_throughput():
    failing = times()
    failing[::10] = np.inf
    found = outcomes(LatencySlo(), evidence(failing))
    assert found["error_rate"] is found["throughput"] is Outcome.FAIL


def test_a_late_generator_decides_nothing():
    late = evidence(times())
    samples = replace(late.samples, sent_s=late.samples.intended_s + 0.05, done_s=late.samples.done_s + 0.05)
    found = outcomes(LatencySlo(), late.model_copy(update={"samples": samples}))
    assert {found[name] for name in ("throughput", "p50.slo")} == {Outcome.INCONCLUSIVE}


@pytest.mark.parametrize("seed", range(5))
def test_a_good_but_slow_service_keeps_its_throughput(seed):
    """50 a second, in blocks of a second, answered in 100 to 300 ms."""
    slow = evidence(np.random.default_rng(seed).uniform(0.1, 0.3, 1200), blocks=12)
    every_other = slow.samples.intended_s * 2
    samples = replace(
        slow.samples,
        intended_s=every_other,
        sent_s=every_other,
        done_s=every_other + slow.samples.response_s,
        block=np.repeat(np.arange(24), 50).astype(np.int32),
        wall_s=np.ones(24),
        cpu_s=np.full(24, 0.1),
    )
    slow = slow.model_copy(update={"samples": samples, "rate_per_s": 50.0, "planned_blocks": 24})
    patient = LatencyLimits.model_validate({"p99": {"slo_ms": 400}})
    assert outcomes(LatencySlo(), slow, patient)["throughput"] is Outcome.PASS


def test_the_time_to_verdict_is_that_of_all_findings():
    """Half of the blocks are answered too slowly: nobody knows of the throughput, so nothing is decided."""
    patient = LatencyLimits.model_validate({"p50": {"slo_ms": 1e6}, "max_error_rate": 0.9})
    seen = times()
    seen[:600][np.arange(600) % 10 == 0] = np.inf
    found = outcomes(LatencySlo(), evidence(seen), patient)
    assert found["throughput"] is found["time_to_verdict"] is Outcome.INCONCLUSIVE


def test_what_is_undecided_says_which_key_would_decide_it_or_that_none_would():
    """Of blocks that failed whole no soak knows a trend, however long; too few samples may be more."""
    patient = LatencyLimits.model_validate({"p50": {"slo_ms": 1e6}, "max_error_rate": 0.9})
    seen = times()
    seen[300:400] = np.inf
    told = {item.id: item.message for item in LatencySoak().judge(evidence(seen), patient)}
    assert "a longer load would not change that" in told["latency.soak.time_to_verdict"]
    few = LatencyLimits.model_validate({"quantiles": {"p99.9": {"margin": 1, "slo_ms": 60}}})
    told = {item.id: item.message for item in LatencySlo().judge(evidence(times()), few)}
    assert told["latency.slo.time_to_verdict"].endswith(" s would (slo.budget_s)")


def limit_of_reject(checks, devices=1):
    limits = LIMITS.model_copy(update={"devices": devices})
    seen = evidence(queueing(0.013), checks=checks)
    return {item.id.rpartition(".")[2]: item.upper for item in LatencySlo().judge(seen, limits)}


def test_the_error_of_a_reject_is_divided_among_checks_and_devices_also_of_throughput():
    assert limit_of_reject(4, devices=2) == limit_of_reject(8)
    for checks, outcome in ((1, Outcome.FAIL), (1000, Outcome.INCONCLUSIVE)):
        seen = evidence(queueing(0.013), checks=checks)
        assert outcomes(LatencySlo(), seen)["throughput"] is outcome


@pytest.mark.parametrize("check", [LatencySlo, LatencySoak])
@pytest.mark.parametrize("beside_reference", [False, True])
def test_all_limits_of_all_checks_and_devices_together_spend_no_more_than_the_error(
    check, beside_reference, monkeypatch
):
    spent, blocks = [], SOAK
    original = View.of

    def of(seen, limits, look, doubt, besides=0):
        view = original(seen, limits, look, doubt, besides)
        spent.append(view.spending.beyond)
        return view

    monkeypatch.setattr(View, "of", of)
    whole = beside(times(6000), times(6000)) if beside_reference else soak(times(6000))
    limits = LIMITS.model_copy(update={"devices": 3})
    total = 0.0
    for look in whole.looks.at_blocks:
        seen = whole.until(look).model_copy(update={"checks": 4})
        found = check().judge(seen, limits)
        rejecting = [item for item in found if item.confidence is not None and item.limit is not None]
        total += spent[-1] * len(rejecting) * 4 * 3
    assert look == blocks
    assert len(rejecting) >= 4
    assert total <= 1 - limits.confidence + 1e-12


def test_the_number_of_checks_is_that_of_the_suite_and_is_stored(tmp_path):
    limits = "\n[latency.limits]\np50 = { slo_ms = 9 }"
    for text, checks in (("", 1), ("slo = { rate_per_s = 50 }\nsoak = { rate_per_s = 50 }\nburst = {}", 4)):
        assert parse_suite(HEAD + text + limits, Path("gate.toml")).config.latency.checks == checks
    evidence(times(), checks=3).save(tmp_path, lambda text: text)
    assert LatencyEvidence.load(tmp_path).checks == 3


def test_few_blocks_show_no_throughput():
    assert outcomes(LatencySlo(), evidence(times(300), blocks=3))["throughput"] is Outcome.INCONCLUSIVE


@given(
    seed=st.integers(0, 2**31), scale=st.floats(0.01, 100), failed=st.floats(0, 1), blocks=st.integers(1, 14)
)
@hypothesis_settings(max_examples=30, deadline=None)
def test_both_judges_are_total(seed, scale, failed, blocks):
    rng = np.random.default_rng(seed)
    seen = scale * times(blocks * BLOCK, seed)
    seen[rng.random(seen.size) < failed] = np.inf
    for check in (LatencySlo(), LatencySoak()):
        assert check.judge(evidence(seen, blocks=blocks), LIMITS)


SOAK = 60


def soak(times_s, kib_per_block=0.0, noise_kib=5.0):
    noise = noise_kib * np.random.default_rng(3).standard_normal(SOAK)
    held = 5e7 + 1024 * (kib_per_block * np.arange(SOAK) + noise)
    return evidence(times_s, memory=held.tolist(), blocks=SOAK)


def test_a_steady_service_passes_a_soak():
    assert set(outcomes(LatencySoak(), soak(times(6000))).values()) == {Outcome.PASS}


@pytest.mark.parametrize("steady", [2000, 3000, 4000])
def test_slower_after_some_requests_is_found(steady):
    slower = times(6000) * np.where(np.arange(6000) < steady, 1.0, 1.6)
    found = outcomes(LatencySoak(), soak(slower))
    assert found["p50.trend"] is found["p95.trend"] is Outcome.FAIL
    assert found["memory.growth"] is Outcome.PASS


@pytest.mark.parametrize("quick", [0, 300])
def test_slow_since_the_first_minutes_is_no_trend(quick):
    slower = times(6000) * np.where(np.arange(6000) < quick, 1.0, 1.6)
    found = outcomes(LatencySoak(), soak(slower))
    assert found["p50.trend"] is found["p95.trend"] is Outcome.PASS


def test_slower_and_slower_is_found():
    found = outcomes(LatencySoak(), soak(times(6000) * np.linspace(1.0, 1.8, 6000)))
    assert found["p50.trend"] is Outcome.FAIL


BUSY = np.where(np.arange(6000) < 4000, 1.0, 1.6)


def test_a_neighbour_in_the_last_third_rejects_nobody():
    late = soak(times(6000) * BUSY)
    naps_s = np.random.default_rng(4).exponential(0.0005, 6000) * np.where(np.arange(6000) < 4000, 1, 3)
    napping = late.model_copy(update={"samples": replace(late.samples, heartbeat_s=naps_s)})
    stolen = late.model_copy(update={"cpu_steal_shares": (0.0,) * 40 + (0.05,) * 20})
    for seen in (napping, stolen):
        found = outcomes(LatencySoak(), seen)
        assert found["p50.trend"] is found["p95.trend"] is Outcome.INCONCLUSIVE
        assert found["p50.slo"] is Outcome.PASS
    assert outcomes(LatencySoak(), late)["p50.trend"] is Outcome.FAIL


def beside(reference_s, candidate_s):
    """Both soaked, in blocks of 100 pairs."""
    one = soak(candidate_s)
    other = soak(reference_s)
    both = {
        name: np.stack([getattr(each.samples, name) for each in (other, one)], axis=1).reshape(-1)
        for name in ("block", "payload", "intended_s", "sent_s", "done_s", "status", "outcome", "body_bytes")
    }
    side = np.tile([0, 1], 6000).astype(np.int8)
    held = tuple((1e7, row[0]) for row in one.usage.memory_bytes)
    used = ((0.1, 0.1),) * len(held)
    return one.model_copy(
        update={
            "sides": ("reference", "candidate"),
            "samples": replace(one.samples, side=side, **both),
            "usage": Usage(cpu_s=used, memory_bytes=held),
        }
    )


def test_beside_a_reference_what_slows_both_is_no_trend_and_what_slows_one_is():
    wide = LIMITS.model_copy(update={"max_reference_drift": 5.0})
    found = outcomes(LatencySoak(), beside(times(6000) * BUSY, times(6000, seed=2) * BUSY), wide)
    assert found["p50.trend"] is found["p95.trend"] is found["memory.growth"] is Outcome.PASS
    found = outcomes(LatencySoak(), beside(times(6000), times(6000, seed=2) * BUSY), wide)
    assert found["p50.trend"] is found["p95.trend"] is Outcome.FAIL
    found = outcomes(LatencySoak(), beside(times(6000) / BUSY, times(6000, seed=2)), wide)
    assert found["p50.trend"] is Outcome.FAIL


def test_memory_that_rises_in_the_last_blocks_does_not_pass():
    held = 5e7 + np.where(np.arange(SOAK) >= SOAK - 7, 20e6, 0.0)
    found = outcomes(LatencySoak(), evidence(times(6000), held.tolist(), blocks=SOAK))
    assert found["memory.growth"] is Outcome.INCONCLUSIVE
    held = 5e7 + np.where(np.arange(SOAK) >= SOAK - 2, 20e6, 0.0)
    found = outcomes(LatencySoak(), evidence(times(6000), held.tolist(), blocks=SOAK))
    assert found["memory.growth"] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("check", [LatencySlo, LatencySoak])
def test_a_slow_start_counts_for_absolute_limits_and_is_told(check):
    slow = times(6000) * np.where(np.arange(6000) < 1000, 20.0, 1.0)
    found = outcomes(check(), soak(slow), LatencyLimits.model_validate({"p95": {"slo_ms": 20}}))
    assert found["p95.slo"] is Outcome.FAIL
    assert found["warmup"] is Outcome.WARN


def test_faster_and_faster_is_no_failure():
    found = outcomes(LatencySoak(), soak(times(6000) * np.linspace(1.8, 1.0, 6000)))
    assert found["p50.trend"] is Outcome.PASS


def test_a_leak_is_found_by_its_size():
    # 100 requests in a block: 10 KiB in each make 100 KiB in 1,000 requests.
    assert outcomes(LatencySoak(), soak(times(6000), kib_per_block=10))["memory.growth"] is Outcome.PASS
    assert outcomes(LatencySoak(), soak(times(6000), kib_per_block=50))["memory.growth"] is Outcome.FAIL


def test_memory_that_nobody_tells_shows_nothing_and_few_readings_show_nothing():
    assert (
        outcomes(LatencySoak(), evidence(times(6000), blocks=SOAK))["memory.growth"] is Outcome.INCONCLUSIVE
    )
    few = [1e6 if block % 15 == 14 else None for block in range(SOAK)]
    assert (
        outcomes(LatencySoak(), evidence(times(6000), few, blocks=SOAK))["memory.growth"]
        is Outcome.INCONCLUSIVE
    )


def test_blocks_without_an_answer_have_no_trend():
    dead = times(6000)
    dead[2000:] = np.inf
    found = outcomes(LatencySoak(), soak(dead))
    assert found["p50.trend"] is Outcome.INCONCLUSIVE
    assert found["error_rate"] is Outcome.FAIL


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("slo = { rate_per_s = 100 }", "at least one quantile"),
        (
            "slo = { rate_per_s = 10, budget_s = 5 }\n[latency.limits]\np99 = { slo_ms = 9 }",
            "takes 299 requests",
        ),
        ("soak = { rate_per_s = 10, duration_s = 60 }", "must hold 3600 arrivals"),
        ("slo = {}", "rate_per_s"),
    ],
)
def test_too_little_is_refused_before_anything_starts(text, problem):
    with pytest.raises(ConfigError, match=problem):
        parse_suite(HEAD + text, Path("gate.toml"))


def test_they_are_made_only_where_they_are_declared():
    limits = "\n[latency.limits]\np50 = { slo_ms = 9 }"
    nothing, both = (
        parse_suite(HEAD + text + limits, Path("gate.toml")).config.latency
        for text in ("", "slo = { rate_per_s = 50 }\nsoak = { rate_per_s = 50 }")
    )
    for check in (LatencySlo(), LatencySoak()):
        assert not check.applies(nothing)
        assert check.applies(both)
