"""When each request of a block is due, to which side, with which payload: seeded, independent of the answers.

Payloads are drawn by their weights. With two sides every arrival is a pair: both members carry the same
payload, their order is drawn at random, and all requests, of both sides, are spaced alike at twice the rate.
Constant arrivals are evenly spaced. Poisson arrivals have exponential spacings; with two sides a dead time is
taken off first, so a service that answers within it never has a request of the other side beside its own. A
request that takes longer does not hold back the next: that one is sent when it is due and the two overlap
(`LoadHealth.overlap_share` says how often). Nothing is left out and nothing is postponed, so there is no
coordinated omission.

With bursts the same is true of whole bursts: a pair of bursts has the same payloads in the same order at both
sides, and the i-th request of either side is still pair i.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.load.plan import Arrival, LoadPlan

WARMUP = -1
"""The number of the block that is sent first and not counted."""


@dataclass(frozen=True)
class Part:
    """The share of one of several generators: every `count`-th burst, beginning with number `index`."""

    index: int
    count: int

    def rows(self, requests: int, together: int) -> NDArray[np.intp]:
        """Return which of a schedule's requests these are, of which `LoadPlan.together` are never parted."""
        return np.flatnonzero(np.arange(requests) // together % self.count == self.index)


WHOLE = Part(0, 1)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The requests of one block, in order of time; n = arrivals * sides.

    Attributes:
        due_s: Shape (n,), float64, seconds from the start of the block, never decreasing.
        side: Shape (n,), int8, index into `LoadPlan.sides`.
        payload: Shape (n,), int32, index into `LoadPlan.payloads`.
    """

    due_s: NDArray[np.float64]
    side: NDArray[np.int8]
    payload: NDArray[np.int32]

    def only(self, part: Part, together: int) -> Self:
        """Return one generator's share, due at the same times."""
        rows = part.rows(self.due_s.size, together)
        return replace(self, due_s=self.due_s[rows], side=self.side[rows], payload=self.payload[rows])


def schedule_block(plan: LoadPlan, block: int) -> Schedule:
    """Return the schedule of a block; the same plan and number give the same schedule.

    Args:
        plan: The plan.
        block: From 0, or `WARMUP`.
    """
    rng = np.random.default_rng([plan.seed, block + 1])
    factor = 1.0 if block == WARMUP else plan.factor(block)
    arrivals = plan.warmup_requests if block == WARMUP else max(1, round(plan.block_arrivals * factor))
    bursts = -(-arrivals // plan.burst)
    sides = len(plan.sides)
    spacing_s = plan.burst / (plan.rate_per_s * factor * sides)
    if plan.arrival is Arrival.CONSTANT:
        gaps = np.full(bursts * sides, spacing_s)
    else:
        dead_s = spacing_s * plan.dead_time if sides > 1 else 0.0
        gaps = dead_s + rng.exponential(spacing_s - dead_s, bursts * sides)
    weights = np.array([payload.weight for payload in plan.payloads])
    drawn = rng.choice(weights.size, size=(bursts, plan.burst), p=weights / weights.sum())
    order = rng.permuted(np.tile(np.arange(sides), (bursts, 1)), axis=1)
    return Schedule(
        due_s=np.repeat(np.cumsum(gaps), plan.burst),
        side=np.repeat(order.reshape(-1), plan.burst).astype(np.int8),
        payload=np.repeat(drawn, sides, axis=0).reshape(-1).astype(np.int32),
    )
