"""The latency check on servers with known delays, a few seconds each, load to loopback only."""

import math
import os
import resource
import subprocess
import sys
import tomllib

import numpy as np
import pytest
from local_processes import alive_after, first_line

from harness.checks.latency.check import LatencyPaired
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.judge import judge
from harness.checks.latency.limits import LatencyLimits
from harness.errors import ConfigError, InfrastructureError, TargetError
from harness.load import GeneratorError, LoadGenerator, LoadPlan, Payload, RequestOutcome, Samples, Side
from harness.model import Outcome

SHORT = "rate_per_s = 100\nbudget_s = 6\nblock_s = 0.5\nwarmup_requests = 20\ntimeout_s = 1"
# The machine may be shared, and these tests are about the check and not about the machine.
TOLERANT = """
[latency.limits]
max_generator_lag_p99_ms = 1000
max_generator_hiccup_p99_ms = 1000
max_cpu_steal = 0.99
max_reference_drift = 1000
p50 = { margin = 0.5 }
p95 = { margin = 1.0 }
p99 = { margin = 10 }
cpu = { margin = 10 }
"""

TOLERANT_LIMITS = LatencyLimits.model_validate(tomllib.loads(TOLERANT)["latency"]["limits"])


def outcomes(evidence: LatencyEvidence, limits: LatencyLimits | None = None):
    limits = limits or TOLERANT_LIMITS
    findings = LatencyPaired().judge(evidence, limits)
    told = "\n".join(f"{finding.outcome.value} {finding.message}" for finding in findings)
    print(told)  # noqa: T201 - shown if the test fails
    return {finding.id.removeprefix("latency.paired."): finding.outcome for finding in findings}


def test_an_equal_candidate_is_not_rejected_and_is_within_wide_margins(latency, tmp_path):
    with latency.server(delay_ms=2, seed=1) as reference, latency.server(delay_ms=2, seed=2) as candidate:
        evidence = latency.collect(tmp_path, candidate, reference, SHORT + TOLERANT, seed=1)
    found = outcomes(evidence)
    assert Outcome.FAIL not in found.values()
    assert found["p50.ratio"] is Outcome.PASS
    assert found["error_rate"] is Outcome.PASS
    assert evidence.executed == evidence.blocks * 50


def test_twice_the_time_is_rejected_before_the_budget_is_spent(latency, tmp_path):
    with latency.server(delay_ms=2, seed=1) as reference, latency.server(delay_ms=6, seed=2) as candidate:
        # Short blocks, so that a look before the last has groups enough.
        load = SHORT.replace("block_s = 0.5", "block_s = 0.25")
        evidence = latency.collect(tmp_path, candidate, reference, load + TOLERANT, seed=2)
    assert outcomes(evidence)["p50.ratio"] is Outcome.FAIL
    assert evidence.blocks < evidence.planned_blocks


def test_cpu_time_and_memory_of_both_are_kept_of_each_block(latency, tmp_path):
    with latency.server(delay_ms=1, seed=1) as reference, latency.server(delay_ms=1, seed=2) as candidate:
        evidence = latency.collect(tmp_path, candidate, reference, SHORT + TOLERANT, seed=12)
        used_s = [endpoint.cpu_s() for endpoint in (reference, candidate)]
    evidence.save(tmp_path, lambda text: text)
    usage = LatencyEvidence.load(tmp_path).usage
    for side in (0, 1):
        assert usage.cpu_of(side).shape == usage.memory_of(side).shape == (evidence.blocks,)
        assert (usage.cpu_of(side) > 0).all()
        assert usage.cpu_of(side).sum() < used_s[side]
        assert (usage.memory_of(side) > 1024 * 1024).all()


def test_stored_evidence_is_judged_alike(latency, tmp_path):
    with latency.server(delay_ms=1, seed=1) as reference, latency.server(delay_ms=1, seed=2) as candidate:
        evidence = latency.collect(tmp_path, candidate, reference, SHORT + TOLERANT, seed=3)
    evidence.save(tmp_path, lambda text: text)
    assert judge(LatencyEvidence.load(tmp_path), LatencyLimits()) == judge(evidence, LatencyLimits())


def test_fast_errors_are_rejected(latency, tmp_path):
    with (
        latency.server(delay_ms=2, seed=1) as reference,
        latency.server(delay_ms=2, error_share=0.2, seed=2) as candidate,
    ):
        evidence = latency.collect(tmp_path, candidate, reference, SHORT + TOLERANT, seed=4)
    assert outcomes(evidence)["error_rate"] is Outcome.FAIL


def test_a_failing_reference_voids_the_comparison(latency, tmp_path):
    with (
        latency.server(delay_ms=2, error_share=0.2, seed=1) as reference,
        latency.server(delay_ms=2, seed=2) as candidate,
    ):
        evidence = latency.collect(tmp_path, candidate, reference, SHORT + TOLERANT, seed=5)
    assert evidence.blocks in evidence.looks.at_blocks
    assert Outcome.FAIL not in outcomes(evidence).values()
    assert Outcome.INCONCLUSIVE in outcomes(evidence).values()


def test_without_a_reference_the_slo_decides(latency, tmp_path):
    settings = (
        SHORT
        + "\n[latency.limits]\nmax_generator_lag_p99_ms = 1000\nmax_generator_hiccup_p99_ms = 1000"
        + "\nmax_cpu_steal = 0.99\np50 = { slo_ms = 500 }\np95 = { slo_ms = 1 }"
    )
    with latency.server(delay_ms=3, seed=1) as candidate:
        evidence = latency.collect(tmp_path, candidate, None, settings, seed=6)
    found = outcomes(evidence, latency.suite(settings).config.latency.limits)
    assert found["p50.slo"] is Outcome.PASS
    assert found["p95.slo"] is Outcome.FAIL
    assert found["p50.ratio"] is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("who", ["candidate", "reference"])
def test_a_side_that_dies_under_load_is_told_apart(latency, tmp_path, who):
    with latency.server(delay_ms=1, seed=1) as reference, latency.server(delay_ms=1, seed=2) as candidate:
        dying = candidate if who == "candidate" else reference
        killer = subprocess.Popen(["sh", "-c", f"sleep 4; kill -9 {dying.process.pid}"])
        expected = TargetError if who == "candidate" else InfrastructureError
        with pytest.raises(expected, match="stopped under load"):
            latency.collect(tmp_path, candidate, reference, SHORT + TOLERANT, seed=7)
        killer.wait(10)


def one_side(base_url, **changes):
    asked = {
        "sides": (Side(name="candidate", base_url=base_url),),
        "payloads": (Payload(method="POST", path="/", body=b"{}"),),
        "rate_per_s": 50.0,
        "block_arrivals": 5,
        "seed": 1,
        "warmup_requests": 0,
    }
    return LoadPlan(**(asked | changes))


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("/redirect", RequestOutcome.WRONG_STATUS),
        ("/short", RequestOutcome.BAD_ANSWER),
        ("/garbage", RequestOutcome.BAD_ANSWER),
        ("/headers", RequestOutcome.BAD_ANSWER),
        ("/trailers", RequestOutcome.BAD_ANSWER),
        ("/interim", RequestOutcome.BAD_ANSWER),
        ("/long", RequestOutcome.TOO_LONG),
        ("/hang", RequestOutcome.TIMEOUT),
        ("/nowhere", RequestOutcome.WRONG_STATUS),
        ("/", RequestOutcome.OK),
        ("/a b", RequestOutcome.OK),
        ("//predict", RequestOutcome.OK),
    ],
)
def test_each_way_to_fail_has_its_code(latency, tmp_path, path, outcome):
    with latency.server(delay_ms=1, seed=1) as server:
        post = Payload(method="POST", path=path, body=b"{}")
        plan = one_side(
            server.base_url, payloads=(post,), block_arrivals=2, timeout_s=0.4, max_body_bytes=1000
        )
        with LoadGenerator(plan, tmp_path) as generator:
            samples = generator.run_block(0)
    assert set(samples.outcome.tolist()) == {outcome}
    assert np.isinf(samples.response_s).all() == (outcome is not RequestOutcome.OK)


def test_a_refused_connection_is_a_failure_of_the_service(tmp_path):
    plan = one_side("http://127.0.0.1:1", warmup_requests=2)
    with LoadGenerator(plan, tmp_path) as generator:
        assert set(generator.run_block(0).outcome.tolist()) == {RequestOutcome.CONNECTION}


def test_a_request_that_cannot_be_sent_is_the_generators_fault(latency, tmp_path):
    sendable, unsendable = (
        Payload(method="POST", path="/", headers={"X-Name": name}) for name in ("a", "a\nb")
    )
    with latency.server(delay_ms=1, seed=1) as server:
        plan = one_side(server.base_url, payloads=(sendable, unsendable), block_arrivals=20)
        with (
            LoadGenerator(plan, tmp_path) as generator,
            pytest.raises(GeneratorError, match="of 20 requests could not be sent or followed: ValueError"),
        ):
            generator.run_block(0)


def test_a_generator_without_file_descriptors_does_not_blame_the_service(latency, tmp_path):
    with (
        latency.server(delay_ms=1, seed=1) as server,
        LoadGenerator(one_side(server.base_url), tmp_path) as load,
    ):
        resource.prlimit(load._process.pid, resource.RLIMIT_NOFILE, (3, 3))
        with pytest.raises(GeneratorError, match="Too many open files"):
            load.run_block(0)


def test_a_stall_is_felt_by_all_that_were_due_during_it(latency, tmp_path):
    """One blocking server, 50 requests a second, a stall of 300 ms: about 15 requests wait, not one."""
    with latency.server(delay_ms=0.5, stall_share=0.02, stall_ms=300, seed=3) as server:
        plan = LoadPlan(
            sides=(Side(name="candidate", base_url=server.base_url),),
            payloads=(Payload(method="POST", path="/", body=b"{}"),),
            rate_per_s=50.0,
            block_arrivals=150,
            seed=1,
            warmup_requests=5,
        )
        with LoadGenerator(plan, tmp_path) as generator:
            samples = generator.run_block(0)
    stalled = (samples.done_s - samples.sent_s > 0.3).sum()
    waited = (samples.response_s > 0.05).sum()
    assert stalled >= 1
    assert waited >= 5 * min(stalled, 3)


def test_the_worker_dies_with_its_parent(tmp_path):
    code = f"""
import time
import tomllib
from pathlib import Path
from harness.load import LoadGenerator, LoadPlan, Payload, Side
plan = LoadPlan(
    sides=(Side(name="candidate", base_url="http://127.0.0.1:1"),),
    payloads=(Payload(method="GET", path="/"),),
    rate_per_s=10.0, block_arrivals=1, seed=1, warmup_requests=0,
)
with LoadGenerator(plan, Path({str(tmp_path)!r})) as generator:
    print(generator._process.pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(first_line(parent))
        assert alive_after({worker}, 0) == {worker}
        parent.kill()
    assert alive_after({worker}, 5) == set()


def test_times_agree_with_the_servers_known_delays(latency, tmp_path):
    with latency.server(delay_ms=20, jitter=0, seed=1) as server:
        plan = LoadPlan(
            sides=(Side(name="candidate", base_url=server.base_url),),
            payloads=(Payload(method="POST", path="/", body=b"{}"),),
            rate_per_s=20.0,
            arrival="constant",
            block_arrivals=40,
            seed=1,
            warmup_requests=5,
            cpu_affinity=(max(os.sched_getaffinity(0)),),
        )
        with LoadGenerator(plan, tmp_path) as generator:
            samples = Samples.join([generator.run_block(0), generator.run_block(1)])
    assert samples.response_s.min() >= 0.020
    assert np.quantile(samples.response_s, 0.5) < 0.030
    assert not math.isinf(samples.response_s.max())


def test_a_suite_without_requests_is_a_configuration_error(latency):
    declared = latency.suite("")
    settings = declared.config.latency.model_copy(update={"request": None})
    with pytest.raises(ConfigError, match="to take requests from"):
        LatencyPaired().verify_inputs(declared, settings)
