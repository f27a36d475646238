"""Whether the machine itself got slower from the first third of a load to the last."""

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.load.samples import MS
from harness.stats.quantiles import quantile

EXPLAINS = 0.1
"""What a late nap shows of a busy machine is a part of what the service feels: a tenth is enough."""
STOLEN = 0.2
"""So much more of `max_cpu_steal` in the last third than in the first."""


def machine_alike(
    evidence: LatencyEvidence, limits: LatencyLimits, probability: float, slower_ms: float
) -> str:
    """Return what of the machine got slower as the candidate did, empty where nothing did.

    Args:
        evidence: The load.
        limits: What is allowed of the machine.
        probability: Of the quantile that grew.
        slower_ms: By how much it grew.
    """
    samples = evidence.samples
    lateness = {
        "the load generator's naps ended": samples.heartbeat_s,
        "the load generator sent": samples.lag_s[np.argsort(samples.intended_s)],
    }
    for what, late_s in lateness.items():
        later_ms = MS * _rise(late_s, probability)
        if later_ms > EXPLAINS * slower_ms:
            return f"{what} {later_ms:.2f} ms later in the last third than in the first"
    third = len(evidence.cpu_steal_shares) // 3
    if third:
        more = float(np.mean(evidence.cpu_steal_shares[-third:]) - np.mean(evidence.cpu_steal_shares[:third]))
        if more > STOLEN * limits.max_cpu_steal:
            return f"the machine's host gave {more:.1%} more of its CPU time to others in the last third"
    return ""


def _rise(values: NDArray[np.float64], probability: float) -> float:
    third = values.size // 3
    if not third:
        return 0.0
    return quantile(values[-third:], probability) - quantile(values[:third], probability)
