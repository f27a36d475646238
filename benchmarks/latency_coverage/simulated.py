"""Evidence of the latency check, made of simulated times."""

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.usage import MIB, Usage
from harness.load import RequestOutcome, Samples

TYPICAL_S = 0.004
"""The unit of the times: about what the reference service takes, so that the SLOs are far away."""
HELD_BYTES = 150 * MIB
"""The memory of either side, which is not what is simulated."""


def evidence(
    reference: NDArray[np.float64], candidate: NDArray[np.float64], settings: LatencySettings, blocks: int
) -> LatencyEvidence:
    """What the check would have collected after some blocks.

    Args:
        reference: Shape (pairs,), the times of all blocks in units of `TYPICAL_S`, inf for an error.
        candidate: The same of the other side.
        settings: Rate, blocks, and how many latency checks there are.
        blocks: After so many.
    """
    pairs = blocks * settings.block_arrivals
    response_s = TYPICAL_S * np.stack([reference[:pairs], candidate[:pairs]], axis=1).reshape(-1)
    failed = np.isinf(response_s)
    due_s = np.arange(2 * pairs) / (2 * settings.rate_per_s)
    samples = Samples(
        side=np.tile([0, 1], pairs).astype(np.int8),
        block=(np.arange(2 * pairs) // (2 * settings.block_arrivals)).astype(np.int32),
        payload=np.zeros(2 * pairs, dtype=np.int32),
        intended_s=due_s,
        sent_s=due_s,
        done_s=due_s + np.where(failed, 0.0, response_s),
        status=np.where(failed, 500, 200).astype(np.int16),
        outcome=np.where(failed, RequestOutcome.WRONG_STATUS, RequestOutcome.OK).astype(np.int8),
        body_bytes=np.zeros(2 * pairs, dtype=np.int32),
        heartbeat_s=np.zeros(1),
        cpu_s=np.zeros(blocks),
        wall_s=np.full(blocks, settings.block_s),
    )
    return LatencyEvidence(
        expected=1,
        executed=pairs,
        sides=("reference", "candidate"),
        rate_per_s=settings.rate_per_s,
        planned_blocks=settings.blocks,
        seed=0,
        unix_offset_s=0.0,
        checks=settings.checks,
        samples=samples,
        usage=Usage(memory_bytes=((HELD_BYTES, HELD_BYTES),) * blocks),
    )
