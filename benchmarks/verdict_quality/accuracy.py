"""How exact the measured quantiles are: the generator against a server whose delays are known."""

import json
import math
import subprocess
import sys
from pathlib import Path
from statistics import NormalDist

import numpy as np

from benchmarks.verdict_quality.gated import QUANTILES, response_ms
from benchmarks.verdict_quality.plan import Accuracy, Delays
from benchmarks.verdict_quality.results import Line
from harness.environment import split_cores
from harness.load import LoadGenerator, LoadPlan, Payload, Side

SERVER = Path(__file__).with_name("delay_server.py")
WARMUP = 200
BISECTIONS = 100


def quantile_ms(delays: Delays, probability: float) -> float:
    """The quantile of the distribution, by bisection."""

    def share_below(x_ms: float) -> float:
        parts = ((1 - delays.stalled_share, x_ms), (delays.stalled_share, x_ms - delays.stall_ms))
        return sum(
            share * NormalDist(math.log(delays.median_ms), delays.sigma).cdf(math.log(x))
            for share, x in parts
            if x > 0
        )

    low, high = 0.0, 1e3 * (delays.median_ms + delays.stall_ms)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if share_below(middle) < probability else (low, middle)
    return high


def run_accuracy(delays: Delays, accuracy: Accuracy, folder: Path, seed: int) -> Line:
    """Send the requests; return quantiles as they are, as the server kept them and as measured, ms."""
    cpus, generator_cpus = split_cores()
    wanted = {
        "delays": delays.model_dump(exclude={"name"}),
        "requests": accuracy.requests,
        "warmup": WARMUP,
        "seed": seed,
        "cpus": [int(core) for core in cpus.split(",")] if cpus else [],
    }
    with subprocess.Popen(
        [sys.executable, str(SERVER), json.dumps(wanted)], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            side = Side(name="candidate", base_url=f"http://127.0.0.1:{int(server.stdout.readline())}")
            plan = LoadPlan(
                sides=(side,),
                payloads=(Payload(method="GET", path="/"),),
                rate_per_s=accuracy.rate_per_s,
                block_arrivals=accuracy.requests,
                seed=seed,
                warmup_requests=WARMUP,
                cpu_affinity=generator_cpus,
            )
            with LoadGenerator(plan, folder) as generator:
                samples = generator.run_block(0)
            taken_s = np.array(json.loads(server.stdout.readline()))
        finally:
            server.kill()
    return {
        "true_ms": {name: round(quantile_ms(delays, p), 4) for name, p in QUANTILES.items()},
        "measured_ms": response_ms(samples.response_s),
        "server_ms": response_ms(taken_s),
        "service_ms": response_ms(samples.service_s),
        "lag_ms": response_ms(samples.lag_s),
        "requests": int(samples.side.size),
    }
