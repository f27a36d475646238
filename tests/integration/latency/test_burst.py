"""Bursts on servers that answer at once, or one after the other; a few seconds each."""

from harness.checks.latency.burst import LatencyBurst
from harness.model import Outcome

SERVER = "concurrent_server.py"
SHORT = """
rate_per_s = 100
budget_s = 6
block_s = 0.5
warmup_requests = 16
burst = { size = 8, bursts_per_s = 6, budget_s = 6 }
[latency.limits]
max_generator_lag_p99_ms = 1000
max_generator_hiccup_p99_ms = 1000
max_cpu_steal = 0.99
max_reference_drift = 1000
burst = { p50 = { margin = 1.5 }, p95 = { margin = 2 } }
"""


def judged(latency, evidence):
    findings = LatencyBurst().judge(evidence, latency.suite(SHORT).config.latency.limits)
    return {finding.id.removeprefix("latency.burst."): finding.outcome for finding in findings}


def test_a_candidate_that_is_as_fast_alone_but_takes_one_at_a_time_is_rejected(latency, tmp_path):
    with (
        latency.server(SERVER, delay_ms=10) as reference,
        latency.server(SERVER, delay_ms=10, lock=1) as candidate,
    ):
        evidence = latency.collect(tmp_path, candidate, reference, SHORT, seed=1, check=LatencyBurst())
    found = judged(latency, evidence)
    assert found["p50.ratio"] is Outcome.FAIL
    assert evidence.executed % 8 == 0


def test_an_equal_candidate_is_not_rejected(latency, tmp_path):
    with latency.server(SERVER, delay_ms=10) as reference, latency.server(SERVER, delay_ms=10) as candidate:
        evidence = latency.collect(tmp_path, candidate, reference, SHORT, seed=2, check=LatencyBurst())
    found = judged(latency, evidence)
    assert Outcome.FAIL not in found.values()
    assert found["p50.ratio"] is Outcome.PASS
