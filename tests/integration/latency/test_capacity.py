"""The search for a capacity on servers that answer one request at a time: one delay is one rate."""

import pytest

from harness.checks.latency.capacity import LatencyCapacity
from harness.model import Outcome

SETTINGS = """
warmup_requests = 5
timeout_s = 2
capacity = { least_per_s = 20, most_per_s = 160, step = 1.4, trial_s = 1, repeats = 7, budget_s = 120 }
[latency.limits]
max_generator_lag_p99_ms = 1000
max_generator_hiccup_p99_ms = 1000
max_cpu_steal = 0.99
p95 = { slo_ms = 1500 }
capacity = { min_per_s = 15, margin = 0.3 }
"""


@pytest.mark.slow
def test_a_candidate_that_stands_an_eighth_of_the_rate_is_rejected(latency, tmp_path):
    with latency.server(delay_ms=5) as reference, latency.server(delay_ms=40) as candidate:
        evidence = latency.collect(tmp_path, candidate, reference, SETTINGS, seed=1, check=LatencyCapacity())
    findings = LatencyCapacity().judge(evidence, latency.suite(SETTINGS).config.latency.limits)
    (ratio,) = (finding for finding in findings if finding.id == "latency.capacity.ratio")
    assert ratio.observed < 0.7, ratio.message
    # A machine that was busy in a trial leaves it open, and says so.
    busy = ratio.outcome is Outcome.INCONCLUSIVE and "which may be why" in ratio.message
    assert busy or ratio.outcome is Outcome.FAIL, ratio.message
    assert evidence.executed == 7
