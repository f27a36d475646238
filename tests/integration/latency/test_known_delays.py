"""What is measured is what a server is known to take; its draws are repeated here, request by request.

The machine may be shared, so a time may be longer by what a neighbour takes, never shorter. How exact it is
on a quiet one is measured by benchmarks.
"""

import random
from math import log
from statistics import NormalDist

import numpy as np
import pytest

from harness.checks.latency.check import LatencyPaired
from harness.environment import split_cores
from harness.load import LoadGenerator, LoadPlan, Payload, Side
from harness.load.plan import Arrival
from harness.model import Outcome

QUANTILES = (0.50, 0.95, 0.99)
# Nothing waits for the request before it: the spacing is longer than any answer takes.
RATE_PER_S = 25.0
ARRIVALS = 200
TIMER_MS = 0.05
NEIGHBOUR_MS = 10.0
# A tenth of the requests no neighbour disturbs.
ALONE_MS = 1.5
EVENLY = """
rate_per_s = 100
arrival = 'constant'
budget_s = 8
block_s = 0.25
timeout_s = 2
"""
TOLERANT = """
[latency.limits]
max_generator_lag_p99_ms = 1000
max_generator_hiccup_p99_ms = 1000
max_cpu_steal = 0.99
max_reference_drift = 1000
p50 = { margin = 1.0 }
p95 = { margin = 1.0 }
p99 = { margin = 10 }
"""


def drawn_ms(seed, delay_ms, jitter, stall_share=0.0, stall_ms=0.0):
    """The delays of the server's first requests, as `delay_server.py` draws them."""
    draw = random.Random(seed)
    delays = []
    for _ in range(ARRIVALS):
        draw.random()  # whether it answers an error
        delay = delay_ms * draw.lognormvariate(0.0, jitter)
        delays.append(delay + (stall_ms if draw.random() < stall_share else 0.0))
    return np.array(delays)


def measured(server, folder):
    plan = LoadPlan(
        sides=(Side(name="candidate", base_url=server.base_url),),
        payloads=(Payload(method="POST", path="/", body=b"{}"),),
        rate_per_s=RATE_PER_S,
        arrival=Arrival.CONSTANT,
        block_arrivals=ARRIVALS,
        seed=1,
        warmup_requests=0,
        cpu_affinity=split_cores()[1],
    )
    with LoadGenerator(plan, folder) as generator:
        samples = generator.run_block(0)
    assert not samples.failed.any()
    return samples


@pytest.mark.parametrize(
    "delays",
    [
        {"delay_ms": 5.0, "jitter": 0.3},
        {"delay_ms": 5.0, "jitter": 0.1, "stall_share": 0.05, "stall_ms": 20.0},
    ],
    ids=["lognormal", "with stalls"],
)
def test_no_request_is_measured_shorter_than_it_took_and_the_usual_hardly_longer(latency, tmp_path, delays):
    with latency.server(seed=7, **delays) as server:
        samples = measured(server, tmp_path)
    known_ms = drawn_ms(7, **delays)
    beyond_ms = 1000 * samples.service_s - known_ms
    assert beyond_ms.min() > -TIMER_MS
    assert np.quantile(beyond_ms, 0.10) < ALONE_MS
    assert np.median(beyond_ms) < NEIGHBOUR_MS
    assert (samples.response_s >= samples.service_s).all()
    for probability in QUANTILES:
        measured_ms = 1000 * np.quantile(samples.service_s, probability, method="inverted_cdf")
        assert measured_ms > np.quantile(known_ms, probability, method="inverted_cdf") - TIMER_MS


def test_the_draws_are_of_the_distribution_that_is_analytic():
    known_ms = drawn_ms(7, delay_ms=5.0, jitter=0.3)
    assert np.log(known_ms).mean() == pytest.approx(log(5.0), abs=4 * 0.3 / np.sqrt(ARRIVALS))
    p95_ms = 5.0 * np.exp(0.3 * NormalDist().inv_cdf(0.95))
    assert np.mean(known_ms > p95_ms) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / ARRIVALS))


def test_a_candidate_that_blocks_its_loop_is_rejected_for_its_tail_and_not_for_its_median(latency, tmp_path):
    """Four requests of a hundred block it for 60 ms, in which six more are due: each of them counts."""
    settings = EVENLY + TOLERANT
    with (
        latency.server(delay_ms=1, seed=1) as reference,
        latency.server(delay_ms=1, stall_share=0.04, stall_ms=60, seed=2) as candidate,
    ):
        evidence = latency.collect(tmp_path, candidate, reference, settings, seed=8)
    findings = LatencyPaired().judge(evidence, latency.suite(settings).config.latency.limits)
    outcomes = {finding.id.removeprefix("latency.paired."): finding.outcome for finding in findings}
    assert outcomes["p95.ratio"] is Outcome.FAIL
    assert outcomes["p50.ratio"] is not Outcome.FAIL
