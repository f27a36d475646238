"""The candidate alone on servers of known delay; a few seconds each."""

import pytest

from harness.checks.latency.slo import LatencySlo
from harness.checks.latency.soak import LatencySoak
from harness.model import Outcome

SETTINGS = """
warmup_requests = 10
slo = { rate_per_s = 100, budget_s = 6 }
soak = { rate_per_s = 400, duration_s = 10 }
[latency.limits]
max_generator_lag_p99_ms = 1000
max_generator_hiccup_p99_ms = 1000
max_cpu_steal = 0.99
p50 = { slo_ms = 4000 }
"""


def judged(latency, check, evidence):
    limits = latency.suite(SETTINGS).config.latency.limits
    findings = check.judge(evidence, limits)
    return {finding.id.removeprefix(f"{check.id}."): finding.outcome for finding in findings}


def test_a_service_that_keeps_up_passes(latency, tmp_path):
    with latency.server("concurrent_server.py", delay_ms=5) as candidate:
        evidence = latency.collect(tmp_path, candidate, None, SETTINGS, seed=1, check=LatencySlo())
    found = judged(latency, LatencySlo(), evidence)
    assert found["p50.slo"] is found["throughput"] is found["error_rate"] is Outcome.PASS


@pytest.mark.slow
def test_one_that_answers_fewer_a_second_than_arrive_is_rejected(latency, tmp_path):
    with latency.server(delay_ms=30) as candidate:
        evidence = latency.collect(tmp_path, candidate, None, SETTINGS, seed=2, check=LatencySlo())
    assert judged(latency, LatencySlo(), evidence)["throughput"] is Outcome.FAIL


def test_slower_after_2000_requests_and_a_leak_are_found(latency, tmp_path):
    leaking = {"slower_after": 2000, "slower_ms": 20, "leak_bytes": 10_000}
    with latency.server("concurrent_server.py", delay_ms=3, **leaking) as candidate:
        evidence = latency.collect(tmp_path, candidate, None, SETTINGS, seed=3, check=LatencySoak())
    assert judged(latency, LatencySoak(), evidence)["memory.growth"] is Outcome.FAIL
    findings = LatencySoak().judge(evidence, latency.suite(SETTINGS).config.latency.limits)
    (trend,) = (finding for finding in findings if finding.id == "latency.soak.p50.trend")
    assert trend.lower > 0.25, trend.message
    # A machine that got busier meanwhile leaves it open, and says so.
    busier = trend.outcome is Outcome.INCONCLUSIVE and "last third" in trend.message
    assert busier or trend.outcome is Outcome.FAIL, trend.message
    assert evidence.executed == evidence.expected
