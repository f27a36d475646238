"""By how much a worker's clock is ahead of the master's: `perf_counter` begins anywhere on each machine.

An exchange is a question and an answer with the worker's time. The worker read its clock at some moment
between the two, so its offset is known up to half the round trip (Cristian's algorithm); of many exchanges
the fastest tells most. Offsets are taken before and after a load: clocks also run at different speeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One question and its answer.

    Attributes:
        asked_s: Master's clock when it asked.
        there_s: Worker's clock when it answered.
        answered_s: Master's clock when the answer came.
    """

    asked_s: float
    there_s: float
    answered_s: float


class Offset(BaseModel):
    """What exchanges have shown.

    Attributes:
        at_s: Worker's clock then.
        ahead_s: Worker's clock minus the master's.
        uncertainty_s: The true offset lies within this of `ahead_s`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_s: float
    ahead_s: float
    uncertainty_s: float


class WorkerClock(BaseModel):
    """A worker's offsets before and after a load.

    Attributes:
        worker: Its number; it sent every arrival whose number leaves this rest when divided by their count.
        name: Locust's name of it, which begins with its host's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker: int
    name: str
    before: Offset
    after: Offset

    def ahead_s(self, there_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the offsets at these times of the worker's clock, on a line through both measured ones."""
        return np.interp(
            there_s, [self.before.at_s, self.after.at_s], [self.before.ahead_s, self.after.ahead_s]
        )


def offset_of(exchanges: Sequence[Exchange]) -> Offset:
    """Return the offset by the fastest of the exchanges (at least one)."""
    best = min(exchanges, key=lambda each: each.answered_s - each.asked_s)
    return Offset(
        at_s=best.there_s,
        ahead_s=best.there_s - (best.asked_s + best.answered_s) / 2,
        uncertainty_s=(best.answered_s - best.asked_s) / 2,
    )
