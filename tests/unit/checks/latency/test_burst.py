"""Bursts: what is declared, and what the judge says of times within them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.checks.latency.burst import LatencyBurst
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.loads import BurstSettings
from harness.checks.latency.usage import Usage
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.load import Samples
from harness.model import Capability, Outcome

HEAD = """
schema_version = 1
name = "bursts"
[service]
port = 8000
ready_path = "/"
[latency]
request = { path = "/" }
"""
SIZE, BURSTS = 16, 40


def evidence(serialised):
    """40 bursts of 16: of the reference all at once in 10 ms, of the candidate `serialised` ms one by one."""
    rng = np.random.default_rng(1)
    n = SIZE * BURSTS
    side = np.repeat([0, 1] * BURSTS, SIZE).astype(np.int8)
    place = np.tile(np.arange(SIZE), 2 * BURSTS)
    response_s = 0.010 * np.exp(0.1 * rng.standard_normal(2 * n)) + np.where(
        side, place * serialised / 1000, 0
    )
    intended_s = np.repeat(np.arange(2 * BURSTS) * 0.125, SIZE)
    return LatencyEvidence(
        expected=200,
        executed=n,
        sides=("reference", "candidate"),
        rate_per_s=64.0,
        planned_blocks=BURSTS,
        seed=1,
        unix_offset_s=0.0,
        usage=Usage(cpu_s=((0.02, 0.02),) * BURSTS, memory_bytes=((1024, 1024),) * BURSTS),
        samples=Samples(
            side=side,
            block=np.repeat(np.arange(BURSTS), 2 * SIZE).astype(np.int32),
            payload=np.zeros(2 * n, dtype=np.int32),
            intended_s=intended_s,
            sent_s=intended_s,
            done_s=intended_s + response_s,
            status=np.full(2 * n, 200, dtype=np.int16),
            outcome=np.zeros(2 * n, dtype=np.int8),
            body_bytes=np.zeros(2 * n, dtype=np.int32),
            heartbeat_s=np.zeros(1),
            cpu_s=np.full(BURSTS, 0.01),
            wall_s=np.full(BURSTS, 0.25),
        ),
    )


def outcomes(seen, limits=None):
    found = LatencyBurst().judge(seen, limits or LatencyLimits())
    assert {item.evidence for item in found} == {"latency.burst/samples.npz"}
    return {item.id.removeprefix("latency.burst."): item.outcome for item in found}


def test_the_same_times_within_bursts_pass():
    found = outcomes(evidence(0.0))
    assert set(found.values()) == {Outcome.PASS}
    assert {"p50.ratio", "p95.ratio", "error_rate", "generator_lag"} <= set(found)
    assert not {name for name in found if name.startswith("p99")}


def test_one_after_the_other_fails():
    found = outcomes(evidence(2.0))
    assert found["p50.ratio"] is found["p95.ratio"] is Outcome.FAIL


def test_the_margins_are_those_of_bursts():
    wide = LatencyLimits.model_validate({"burst": {"p50": {"margin": 3}, "p95": {"margin": 5}}})
    assert outcomes(evidence(1.0), wide)["p95.ratio"] is Outcome.PASS
    single = LatencyLimits.model_validate({"p50": {"margin": 10}, "p95": {"margin": 10}})
    assert outcomes(evidence(2.0), single)["p95.ratio"] is Outcome.FAIL


def test_memory_is_judged_beside_single_requests_alone():
    limits = LatencyLimits.model_validate({"memory": {"margin": 0.25, "max_mib": 100}})
    assert set(outcomes(evidence(0.0), limits).values()) == {Outcome.PASS}


def test_all_other_limits_stay():
    late = evidence(0.0)
    late = late.model_copy(update={"samples": replace(late.samples, sent_s=late.samples.intended_s + 0.02)})
    assert outcomes(late)["p50.ratio"] is Outcome.INCONCLUSIVE
    assert outcomes(late, LatencyLimits(max_generator_lag_p99_ms=50))["p50.ratio"] is Outcome.PASS


def test_it_is_made_only_where_it_is_declared_and_there_is_a_reference():
    undeclared, declared = (
        parse_suite(HEAD + text, Path("gate.toml")).config.latency for text in ("", "burst = {}")
    )
    assert not LatencyBurst().applies(undeclared)
    assert LatencyBurst().applies(declared)
    assert LatencyBurst.needs == {Capability.REFERENCE}


def test_blocks_hold_all_bursts_that_the_budget_has():
    declared = BurstSettings(size=4, bursts_per_s=20, budget_s=60)
    assert declared.block_bursts * declared.blocks == 1200
    assert declared.blocks == 40


@pytest.mark.parametrize(
    ("burst", "problem"),
    [
        ("{ bursts_per_s = 1, budget_s = 10 }", "bursts"),
        ("{ size = 2, bursts_per_s = 2 }", "p95 takes 200 requests"),
        ("{ size = 1 }", "greater than or equal to 2"),
    ],
)
def test_too_few_are_refused_before_anything_starts(burst, problem):
    with pytest.raises(ConfigError, match=problem):
        parse_suite(f"{HEAD}burst = {burst}", Path("gate.toml"))
