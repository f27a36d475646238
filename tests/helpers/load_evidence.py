"""Latency evidence made of response times, for what is drawn of it."""

import numpy as np

from harness.checks.latency.evidence import LatencyEvidence
from harness.load import RequestOutcome, Samples

BLOCKS = 30


def evidence(sides_s, lag_s=0.0, **changes):
    """Evidence of 30 blocks.

    Args:
        sides_s: Seconds that each side's requests took, inf for a failure; as many of each side.
        lag_s: By how much the generator was late, of each request or of all.
        changes: Other fields of the evidence.
    """
    sides, n = len(sides_s), len(sides_s[0]) * len(sides_s)
    response_s = np.stack([np.asarray(each, float) for each in sides_s], axis=1).reshape(-1)
    intended_s = np.arange(n) * 0.01 / sides
    failed = np.isinf(response_s)
    samples = Samples(
        side=np.tile(np.arange(sides), n // sides).astype(np.int8),
        block=(np.arange(n) * BLOCKS // n).astype(np.int32),
        payload=np.zeros(n, dtype=np.int32),
        intended_s=intended_s,
        sent_s=intended_s + lag_s,
        done_s=intended_s + np.where(failed, 1.0, response_s),
        status=np.where(failed, 503, 200).astype(np.int16),
        outcome=np.where(failed, RequestOutcome.WRONG_STATUS, RequestOutcome.OK).astype(np.int8),
        body_bytes=np.zeros(n, dtype=np.int32),
        heartbeat_s=np.zeros(1),
        cpu_s=np.full(BLOCKS, 0.1),
        wall_s=np.ones(BLOCKS),
    )
    made = {
        "expected": 299,
        "executed": n // sides,
        "sides": ("reference", "candidate")[-sides:],
        "rate_per_s": 100.0,
        "planned_blocks": BLOCKS,
        "seed": 1,
        "unix_offset_s": 0.0,
        "samples": samples,
    }
    return LatencyEvidence(**(made | changes))


def times_s(seed, n=3000, median_s=0.002, sigma=0.1, failing=0.0):
    """Response times of a service, seconds."""
    rng = np.random.default_rng(seed)
    taken = median_s * np.exp(sigma * rng.standard_normal(n))
    return np.where(rng.random(n) < failing, np.inf, taken)
