"""A load and limits to begin with, from a few requests one after the other; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.checks.latency.settings import LEAST_BLOCK_ARRIVALS
from harness.stats.groups import LEAST_GROUPS
from harness.stats.quantiles import least_samples

BUSY_SHARE = 0.3
"""Of one that answers one request at a time: at this load few wait for another."""
RATES_PER_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
BUDGET_S = 30.0
ROOM = {"p50": 4.0, "p95": 8.0, "p99": 16.0}
"""Of the median, for what waiting, neighbours and another machine add."""
LEAST_SLO_MS = {"p50": 25.0, "p95": 50.0, "p99": 100.0}
"""On a machine with neighbours a faster one would be luck."""
LEAST_TIMEOUT_S, MOST_TIMEOUT_S = 5.0, 60.0
BEARABLE_S = 600.0
"""Nobody waits longer for a first verdict."""
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Speed:
    """What was measured, and what follows from it.

    Attributes:
        requests: Of which the times are.
        slos_ms: By quantile.
    """

    requests: int
    median_ms: float
    most_ms: float
    rate_per_s: float
    block_s: float
    budget_s: float
    timeout_s: float
    slos_ms: dict[str, float]

    @property
    def within_reach(self) -> bool:
        """Whether so slow a service gives enough requests for a p99 in bearable time."""
        return self.budget_s <= BEARABLE_S


def speed_of(times_ms: Sequence[float]) -> Speed:
    """From the times of at least one request."""
    median_ms = float(np.median(times_ms))
    bearable_per_s = BUSY_SHARE * 1000 / median_ms
    rate_per_s = max((rate for rate in RATES_PER_S if rate <= bearable_per_s), default=RATES_PER_S[0])
    block_s = max(1.0, math.ceil(LEAST_BLOCK_ARRIVALS / rate_per_s))
    enough_s = math.ceil(least_samples(0.99, CONFIDENCE) / rate_per_s)
    return Speed(
        requests=len(times_ms),
        median_ms=median_ms,
        most_ms=max(times_ms),
        rate_per_s=rate_per_s,
        block_s=block_s,
        budget_s=float(max(BUDGET_S, LEAST_GROUPS * block_s, enough_s)),
        timeout_s=math.ceil(min(MOST_TIMEOUT_S, max(LEAST_TIMEOUT_S, 2 * ROOM["p99"] * median_ms / 1000))),
        slos_ms={
            name: max(LEAST_SLO_MS[name], _round_up(factor * median_ms)) for name, factor in ROOM.items()
        },
    )


def _round_up(ms: float) -> float:
    """To one digit, so that nobody takes it for exact."""
    unit = 10.0 ** math.floor(math.log10(ms))
    return math.ceil(round(ms / unit, 6)) * unit
