"""What the sides used, held against its limits."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.usage import Usage
from harness.load import RequestOutcome, Samples
from harness.model import Capability, Outcome

BLOCKS, ARRIVALS = 40, 100
MIB = 2**20


def samples(sides, *, failed=(), lag_s=0.0):
    """Forty blocks of a hundred pairs that all take 2 ms; of `failed` sides nothing is answered."""
    n = BLOCKS * ARRIVALS * sides
    side = np.tile(np.arange(sides), n // sides).astype(np.int8)
    fails = np.isin(side, failed)
    intended_s = np.arange(n) * 0.005 / sides
    noise_s = 0.0001 * np.random.default_rng(1).standard_normal(n)
    return Samples(
        side=side,
        block=(np.arange(n) // (ARRIVALS * sides)).astype(np.int32),
        payload=np.zeros(n, dtype=np.int32),
        intended_s=intended_s,
        sent_s=intended_s + lag_s,
        done_s=intended_s + lag_s + 0.002 + noise_s,
        status=np.where(fails, 503, 200).astype(np.int16),
        outcome=np.where(fails, RequestOutcome.WRONG_STATUS, RequestOutcome.OK).astype(np.int8),
        body_bytes=np.zeros(n, dtype=np.int32),
        heartbeat_s=np.zeros(1),
        cpu_s=np.full(BLOCKS, 0.1),
        wall_s=np.full(BLOCKS, 0.5),
    )


def usage(*ms, noise=0.02, mib=(60, 60), every=1, seed=1, containers=()):
    """CPU ms of a request of each side (None tells none), and the MiB that they hold at last."""
    rng = np.random.default_rng(seed)
    cpu_s, memory = [], []
    for block in range(BLOCKS):
        told = (block + 1) % every == 0
        drawn = np.exp(noise * rng.standard_normal(len(ms)))
        row = [each and each / 1000 * ARRIVALS * every * more for each, more in zip(ms, drawn, strict=True)]
        held = [each and int(each * MIB * (block + 1) / BLOCKS) for each in mib[-len(ms) :]]
        cpu_s.append(tuple(row) if told else (None,) * len(ms))
        memory.append(tuple(held) if told else (None,) * len(ms))
    return Usage(cpu_s=tuple(cpu_s), memory_bytes=tuple(memory), containers=containers)


def evidence(used, **how):
    sides = len(used.cpu_s[0])
    return LatencyEvidence(
        expected=299,
        executed=BLOCKS * ARRIVALS,
        sides=("reference", "candidate")[-sides:],
        rate_per_s=200.0,
        planned_blocks=BLOCKS,
        seed=1,
        unix_offset_s=0.0,
        usage=used,
        samples=samples(sides, **how),
    )


def found(used, limits=None, **how):
    declared = LatencyLimits.model_validate(limits or {})
    findings = judge(evidence(used, **how), declared)
    return {each.id.removeprefix("latency.paired."): each for each in findings}


def test_equal_sides_pass_and_the_figures_are_told():
    seen = found(usage(1.0, 1.0))
    assert {each.outcome for each in seen.values()} == {Outcome.PASS}
    ratio = seen["cpu.ratio"]
    assert ratio.observed == pytest.approx(1.0, rel=0.02)
    assert (ratio.limit, ratio.unit, ratio.confidence) == (1.1, "times the reference", 0.95)
    assert ratio.lower < 1.0 < ratio.upper < 1.1
    assert seen["memory"].observed == 60.0
    assert seen["throughput"].observed == pytest.approx(ARRIVALS / 0.5)
    assert "the reference 200.0" in seen["throughput"].message


def test_what_a_generator_that_failed_left_over_says_nothing_of_cpu_time():
    broken = evidence(usage(1.0, 1.3)).model_copy(update={"generator_error": "it ended"})
    outcomes = {each.id: each.outcome for each in judge(broken, LatencyLimits())}
    assert outcomes["latency.paired.cpu.ratio"] is Outcome.INCONCLUSIVE
    assert Outcome.FAIL not in outcomes.values()


def test_more_cpu_time_fails_alone_though_no_answer_is_slower():
    seen = found(usage(1.0, 1.3))
    assert {name for name, each in seen.items() if each.outcome is Outcome.FAIL} == {"cpu.ratio"}
    assert seen["cpu.ratio"].observed == pytest.approx(1.3, rel=0.02)
    assert should_stop(evidence(usage(1.0, 1.3)), LatencyLimits())
    assert found(usage(1.0, 1.3), {"cpu": {"margin": 0.5}})["cpu.ratio"].outcome is Outcome.PASS


def test_an_excess_close_to_the_margin_is_not_decided_and_more_load_would_be_told():
    ratio = found(usage(1.0, 1.09, noise=0.1))["cpu.ratio"]
    assert ratio.outcome is Outcome.INCONCLUSIVE
    assert "more samples" in ratio.message or "so close to the limit" in ratio.message


@pytest.mark.parametrize(("max_ms", "outcome"), [(2.0, Outcome.PASS), (0.5, Outcome.FAIL)])
def test_an_absolute_limit_needs_no_reference(max_ms, outcome):
    seen = found(usage(1.0), {"cpu": {"max_ms": max_ms}, "p50": {"slo_ms": 100}})
    assert seen["cpu.limit"].outcome is outcome
    assert seen["cpu.limit"].observed == pytest.approx(1.0, rel=0.02)
    assert seen["cpu.limit"].unit == "ms"
    assert (seen["cpu.ratio"].outcome, seen["cpu.ratio"].missing) == (
        Outcome.NOT_APPLICABLE,
        Capability.REFERENCE,
    )


@pytest.mark.parametrize(
    ("ms", "missing"), [((1.0, None), Capability.CONTAINER), ((None, 1.0), Capability.REFERENCE_CONTAINER)]
)
def test_what_a_url_does_not_tell_is_not_judged(ms, missing):
    limits = {"cpu": {"max_ms": 2.0}, "memory": {"margin": 0.1, "max_mib": 100}}
    told = usage(*ms, mib=[each and 60 for each in ms], containers=tuple(map(bool, ms)))
    seen = found(told, limits)
    for name in ("cpu.ratio", "memory.ratio"):
        assert (seen[name].outcome, seen[name].missing) == (Outcome.NOT_APPLICABLE, missing)
    own = Outcome.NOT_APPLICABLE if missing is Capability.CONTAINER else Outcome.PASS
    assert seen["cpu.limit"].outcome is seen["memory.limit"].outcome is own


@pytest.mark.parametrize("ms", [(1.0, None), (None, 1.0), (None, None)])
@pytest.mark.parametrize("containers", [(True, True), ()])
def test_what_a_container_does_not_tell_passes_no_limit(ms, containers):
    limits = {"cpu": {"max_ms": 2.0}, "memory": {"margin": 0.1, "max_mib": 100}}
    seen = found(usage(*ms, mib=[each and 60 for each in ms], containers=containers), limits)
    own = {name: seen[name].outcome for name in ("cpu.limit", "memory.limit")}
    assert set(own.values()) == {Outcome.PASS if ms[1] else Outcome.INCONCLUSIVE}
    assert seen["memory.ratio"].outcome is Outcome.INCONCLUSIVE
    assert seen["memory.ratio"].missing is None
    # Its margin has a default, which says nothing of runs of before it was read.
    assert seen["cpu.ratio"].outcome is (Outcome.INCONCLUSIVE if containers else Outcome.NOT_APPLICABLE)
    assert "a longer load would not change that" in seen["time_to_verdict"].message


def test_peaks_are_compared_once_and_not_in_doubt():
    limits = LatencyLimits.model_validate({"memory": {"margin": 0.1}})
    larger = usage(1.0, 1.0, mib=(50, 60))
    assert found(larger, {"memory": {"margin": 0.1}})["memory.ratio"].outcome is Outcome.FAIL
    undecided = usage(1.0, 1.09, noise=0.1, mib=(50, 60))
    assert found(undecided)["cpu.ratio"].outcome is Outcome.INCONCLUSIVE
    assert not should_stop(evidence(undecided), limits)
    doubted = found(larger, {"memory": {"margin": 0.1}}, lag_s=0.05)["memory.ratio"]
    assert doubted.outcome is Outcome.INCONCLUSIVE
    assert "not decided, since" in doubted.message


def test_evidence_of_nobody_who_looked_judges_nothing_of_it():
    stored = evidence(usage(1.0, 1.0)).model_copy(update={"usage": Usage()})
    seen = {each.id: each.outcome for each in judge(stored, LatencyLimits())}
    assert seen["latency.paired.cpu.ratio"] is Outcome.NOT_APPLICABLE
    assert "latency.paired.memory" not in seen


@pytest.mark.parametrize(
    ("limits", "failed"),
    [
        ({"max_mib": 60}, set()),
        ({"max_mib": 59.9}, {"memory.limit"}),
        ({"margin": 0.2}, set()),
        ({"margin": 0.19}, {"memory.ratio"}),
        ({"max_mib": 10, "margin": 0.01}, {"memory.limit", "memory.ratio"}),
    ],
)
def test_memory_is_held_by_its_peak(limits, failed):
    seen = found(usage(1.0, 1.0, mib=(50, 60)), {"memory": limits})
    assert {name for name, each in seen.items() if each.outcome is Outcome.FAIL} == failed


def test_a_slow_engine_tells_as_much_in_longer_rows():
    quick, slow = (
        found(usage(1.0, 1.3, noise=0))["cpu.ratio"],
        found(usage(1.0, 1.3, noise=0, every=2))["cpu.ratio"],
    )
    assert quick.observed == pytest.approx(slow.observed)
    assert slow.outcome is Outcome.FAIL


def test_requests_that_were_not_answered_pay_for_nothing():
    seen = found(usage(1.0, 1.0), {"cpu": {"max_ms": 9.0}}, failed=(1,))
    assert seen["cpu.ratio"].outcome is seen["cpu.limit"].outcome is Outcome.INCONCLUSIVE
    assert seen["throughput"].observed == 0
    voided = found(usage(1.0, 1.3), failed=(0,))
    assert voided["cpu.ratio"].outcome is Outcome.INCONCLUSIVE


def test_a_late_generator_excuses_no_excess_over_the_reference_and_passes_nothing():
    seen = found(usage(1.0, 1.3), {"cpu": {"max_ms": 0.5}}, lag_s=0.05)
    assert seen["generator_lag"].outcome is seen["cpu.limit"].outcome is Outcome.INCONCLUSIVE
    assert seen["cpu.ratio"].outcome is Outcome.FAIL
    assert found(usage(1.0, 1.0), lag_s=0.05)["cpu.ratio"].outcome is Outcome.INCONCLUSIVE


@settings(max_examples=30, deadline=None)
@given(
    ratio=st.floats(0.2, 5.0),
    noise=st.floats(0.0, 0.5),
    margin=st.floats(0.01, 1.0),
    seed=st.integers(0, 1000),
)
def test_no_candidate_passes_whose_cost_was_seen_beyond_and_none_fails_within(ratio, noise, margin, seed):
    finding = found(usage(1.0, ratio, noise=noise, seed=seed), {"cpu": {"margin": margin}})["cpu.ratio"]
    if finding.outcome is Outcome.PASS:
        assert finding.observed <= finding.limit
    if finding.outcome is Outcome.FAIL:
        assert finding.observed > finding.limit
    assert math.isfinite(finding.observed)


def test_what_is_not_declared_is_said():
    told = LatencySettings().not_declared()
    assert [aspect.rpartition("(")[2] for aspect in told] == [
        "limits.cpu.max_ms)",
        "limits.memory)",
        "manifest)",
        "limits.p50.slo_ms and others)",
        "limits.error_rate_margin)",
        "metrics)",
        "burst)",
        "slo)",
    ]
    declared = LatencySettings.model_validate(
        {
            "manifest": {"p99_ms": "/p99"},
            "metrics": {"path": "/metrics"},
            "burst": {},
            "slo": {"rate_per_s": 100},
            "limits": {
                "cpu": {"max_ms": 3},
                "memory": {"margin": 0.1},
                "p95": {"slo_ms": 5},
                "error_rate_margin": 0.01,
            },
        }
    )
    assert declared.not_declared() == ()


def test_failures_of_the_reference_do_not_flatter_the_candidates_cost():
    """A tenth of the reference's requests fails: per answered one it costs 11 % more, per request nothing."""
    tolerant = LatencyLimits.model_validate({"max_reference_failures": 0.1, "cpu": {"margin": 0.1}})
    seen = evidence(usage(1.0, 1.12, noise=0.001))
    failing = seen.samples.side == 0
    failing[np.flatnonzero(failing)[np.arange(failing.sum()) % 10 != 0]] = False
    outcome = np.where(failing, RequestOutcome.WRONG_STATUS, seen.samples.outcome).astype(np.int8)
    flattered = seen.model_copy(update={"samples": replace(seen.samples, outcome=outcome)})
    (ratio,) = (item for item in judge(flattered, tolerant) if item.id == "latency.paired.cpu.ratio")
    assert ratio.observed < 1.1
    assert ratio.outcome is Outcome.INCONCLUSIVE
