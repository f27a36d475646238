"""Columns that the requests of one block fill in while they run."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.load.samples import RequestOutcome, Samples
from harness.load.schedule import Schedule
from harness.stats.quantiles import Times


class LostRequestsError(Exception):
    """Requests ended in a way that only the generator can be blamed for."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Requests that have ended, shape (n,) each; meanings and dtypes as in `Samples`."""

    side: NDArray[np.int8]
    payload: NDArray[np.int32]
    response_s: Times
    outcome: NDArray[np.int8]


class Recorder:
    """Preallocated columns for one block: each greenlet writes its own row, nothing grows.

    Args:
        schedule: What is sent.
        start_s: The `perf_counter` at which the block begins.
        epoch_s: The `perf_counter` that counts as 0 in the samples.

    Attributes:
        on_end: Called with the recorder and the row of each request that has ended, after its time was taken.
    """

    def __init__(
        self,
        schedule: Schedule,
        start_s: float,
        epoch_s: float,
    ) -> None:
        n = schedule.due_s.size
        self.schedule = schedule
        self.epoch_s = epoch_s
        self.on_end: OnEnd | None = None
        self.intended_s = start_s + schedule.due_s
        self.sent_s = np.zeros(n)
        self.done_s = np.zeros(n)
        self.status = np.zeros(n, dtype=np.int16)
        self.outcome = np.full(n, RequestOutcome.GENERATOR, dtype=np.int8)
        self.faults: list[str] = []
        self.body_bytes = np.zeros(n, dtype=np.int32)

    def answered(self, chosen: NDArray[np.bool_] | None = None) -> Answered:
        """Return the requests that have ended so far, or the chosen of them (shape (n,))."""
        rows = np.flatnonzero(self.outcome != RequestOutcome.GENERATOR if chosen is None else chosen)
        outcome = self.outcome[rows]
        times = self.done_s[rows] - self.intended_s[rows]
        return Answered(
            side=self.schedule.side[rows],
            payload=self.schedule.payload[rows],
            response_s=np.where(outcome == RequestOutcome.OK, times, np.inf),
            outcome=outcome,
        )

    def samples(self, block: int, heartbeat_s: list[float], cpu_s: float, wall_s: float) -> Samples:
        """Return what was recorded, times from the epoch on.

        Raises:
            LostRequestsError: A request has no outcome of the service's.
        """
        lost = int(np.count_nonzero(self.outcome == RequestOutcome.GENERATOR))
        if lost:
            why = self.faults[0] if self.faults else "they never ended"
            raise LostRequestsError(
                f"{lost} of {self.outcome.size} requests could not be sent or followed: {why}"
            )
        return Samples(
            side=self.schedule.side,
            block=np.full(self.sent_s.size, block, dtype=np.int32),
            payload=self.schedule.payload,
            intended_s=self.intended_s - self.epoch_s,
            sent_s=self.sent_s - self.epoch_s,
            done_s=self.done_s - self.epoch_s,
            status=self.status,
            outcome=self.outcome,
            body_bytes=self.body_bytes,
            heartbeat_s=np.array(heartbeat_s),
            cpu_s=np.array([cpu_s]),
            wall_s=np.array([wall_s]),
        )


OnEnd = Callable[[Recorder, int], None]
