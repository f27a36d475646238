"""Joins what several generators have sent into the samples that one would have written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.load.clock import WorkerClock
from harness.load.samples import Samples
from harness.load.schedule import Part, Schedule


class ShareError(Exception):
    """A worker sent something else than its share."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one worker sent of a block.

    Attributes:
        clock: Its offsets.
        columns: The rows of `Samples`, times on the worker's clock.
        heartbeat_s: By how much its naps overslept.
        cpu_s: Its CPU time.
        wall_s: How long its part took.
    """

    clock: WorkerClock
    columns: dict[str, NDArray[Any]]
    heartbeat_s: Sequence[float]
    cpu_s: float
    wall_s: float


def merge(schedule: Schedule, together: int, shares: Sequence[Share], epoch_s: float) -> Samples:
    """Return the samples of the whole schedule in its order, times on the master's clock.

    The three times of a request are moved by the same offset, so no latency changes.

    Args:
        schedule: Of the whole block.
        together: As `LoadPlan.together`.
        shares: In the order of the workers' numbers, all of them.
        epoch_s: The master's `perf_counter` that counts as 0 in the samples.

    Raises:
        ShareError: A share is not what the schedule has for that worker.
    """
    n = schedule.due_s.size
    whole = {name: np.empty(n, dtype=column.dtype) for name, column in shares[0].columns.items()}
    for index, share in enumerate(shares):
        rows = Part(index, len(shares)).rows(n, together)
        own = share.columns
        if own["side"].size != rows.size:
            raise ShareError(f"worker {index} sent {own['side'].size} of its {rows.size} requests")
        planned = schedule.side[rows], schedule.payload[rows]
        if not (np.array_equal(own["side"], planned[0]) and np.array_equal(own["payload"], planned[1])):
            raise ShareError(f"worker {index} sent other requests than the plan has for it")
        ahead_s = share.clock.ahead_s(own["intended_s"]) + epoch_s
        for name, column in own.items():
            whole[name][rows] = column - ahead_s if column.dtype == np.float64 else column
    return Samples(
        **whole,
        heartbeat_s=np.concatenate([np.asarray(share.heartbeat_s, dtype=np.float64) for share in shares]),
        cpu_s=np.array([share.cpu_s for share in shares]),
        wall_s=np.array([share.wall_s for share in shares]),
    )
