"""Whether a measurement can be believed: what the generator and the machine did while it ran."""

from dataclasses import dataclass

import numpy as np

from harness.load.samples import MS, Samples
from harness.stats.quantiles import quantile


@dataclass(frozen=True, kw_only=True)
class LoadHealth:
    """Figures about the generator and the machine.

    Attributes:
        lag_p99_ms: How late the generator sent, 99 % of the requests at most.
        heartbeat_p99_ms: By how much 5 ms naps overslept beside the load.
        cpu_share: CPU time of the generator over wall time, of one core.
        drift: Change of the steady side's median from the first third to the last, as a share; None without.
        overlap_share: Share of requests sent while the other side still worked on one; 0 with one side.
    """

    lag_p99_ms: float
    heartbeat_p99_ms: float
    cpu_share: float
    drift: float | None
    overlap_share: float


def measure_health(samples: Samples, steady_side: int | None) -> LoadHealth:
    """Return the figures.

    Args:
        samples: At least one request of each side.
        steady_side: The side that ought not change, the reference; None where there is none.
    """
    return LoadHealth(
        lag_p99_ms=MS * quantile(samples.lag_s, 0.99),
        heartbeat_p99_ms=MS * quantile(samples.heartbeat_s, 0.99) if samples.heartbeat_s.size else 0.0,
        cpu_share=float(samples.cpu_s.sum() / samples.wall_s.sum()),
        drift=None if steady_side is None else _drift(samples, steady_side),
        overlap_share=_overlap_share(samples),
    )


def _drift(samples: Samples, side: int) -> float:
    times = samples.response_s[samples.of_side(side)]
    third = max(1, times.size // 3)
    first, last = quantile(times[:third], 0.5), quantile(times[-third:], 0.5)
    return last / first - 1.0 if np.isfinite(first) else np.inf


def _overlap_share(samples: Samples) -> float:
    overlapping = 0
    for side in np.unique(samples.side):
        own, other = samples.side == side, samples.side != side
        started = np.searchsorted(np.sort(samples.sent_s[other]), samples.sent_s[own], side="right")
        ended = np.searchsorted(np.sort(samples.done_s[other]), samples.sent_s[own], side="right")
        overlapping += int(np.count_nonzero(started > ended))
    return overlapping / samples.side.size
