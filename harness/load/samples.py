"""Raw samples: one row a request, plus what tells whether the generator itself was sound."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.stats.quantiles import Times

MS = 1000.0
"""Milliseconds in a second: samples are kept in seconds and reported in milliseconds."""


class RequestOutcome(IntEnum):
    """What became of a request; everything but `OK` is a failure."""

    OK = 0
    WRONG_STATUS = 1
    TIMEOUT = 2
    CONNECTION = 3
    """Refused, reset or closed before the answer was whole."""
    BAD_ANSWER = 4
    """Not HTTP, or another length than declared."""
    TOO_LONG = 5
    GENERATOR = 6
    """What every request is until it ended otherwise: one such and the whole block fails, no file has it."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Requests of one or more blocks; times are seconds on the worker's `perf_counter` since it started.

    A `.npz` file holds these arrays under these names.

    Attributes:
        side: Shape (n,), int8, index into `LoadPlan.sides`.
        block: Shape (n,), int32.
        payload: Shape (n,), int32, index into `LoadPlan.payloads`.
        intended_s: Shape (n,), float64, when the schedule wanted the request sent.
        sent_s: Shape (n,), float64, when it was handed to the client.
        done_s: Shape (n,), float64, when the last byte of the answer was read, or it failed.
        status: Shape (n,), int16, 0 where there was none.
        outcome: Shape (n,), int8, `RequestOutcome`.
        body_bytes: Shape (n,), int32, length of the answer's body.
        heartbeat_s: Shape (k,), float64, by how much the worker overslept 5 ms naps beside the load.
        cpu_s: Shape (blocks,), float64, CPU time of the worker in each block.
        wall_s: Shape (blocks,), float64, duration of each block.
    """

    side: NDArray[np.int8]
    block: NDArray[np.int32]
    payload: NDArray[np.int32]
    intended_s: NDArray[np.float64]
    sent_s: NDArray[np.float64]
    done_s: NDArray[np.float64]
    status: NDArray[np.int16]
    outcome: NDArray[np.int8]
    body_bytes: NDArray[np.int32]
    heartbeat_s: NDArray[np.float64]
    cpu_s: NDArray[np.float64]
    wall_s: NDArray[np.float64]

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which requests failed, shape (n,)."""
        return np.not_equal(self.outcome, RequestOutcome.OK)

    @property
    def response_s(self) -> Times:
        """Time from the intended send to the last byte, +inf for a failure, shape (n,)."""
        return np.where(self.failed, np.inf, self.done_s - self.intended_s)

    @property
    def service_s(self) -> Times:
        """Time from the actual send to the last byte, +inf for a failure, shape (n,)."""
        return np.where(self.failed, np.inf, self.done_s - self.sent_s)

    @property
    def lag_s(self) -> Times:
        """By how much the generator was late, shape (n,)."""
        return self.sent_s - self.intended_s

    def of_side(self, side: int) -> NDArray[np.intp]:
        """Return the rows of one side in order of arrival; row i of either side belongs to pair i."""
        return np.flatnonzero(self.side == side)

    def until(self, block: int) -> Self:
        """Return the samples of the blocks before `block` (block numbers run from 0)."""
        rows = self.block < block
        kept = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name not in _PER_BLOCK
        }
        return replace(self, **kept, cpu_s=self.cpu_s[:block], wall_s=self.wall_s[:block])

    def of_block(self, block: int) -> Self:
        """Return the requests of one block; what is the generator's stays that of all."""
        rows = self.block == block
        kept = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name not in _PER_BLOCK
        }
        return replace(self, **kept)

    def as_block(self, block: int) -> Self:
        """Return the same requests as those of a block of this number."""
        return replace(self, block=np.full_like(self.block, block))

    def save(self, path: Path) -> None:
        """Write a compressed `.npz`."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a `.npz`.

        Raises:
            OSError: The file cannot be read.
            ValueError: The file holds something else.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except KeyError as error:
            raise ValueError(f"{path} lacks the array {error}") from error

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the samples of consecutive blocks as one."""
        return cls(
            **{
                field.name: np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(cls)
            }
        )


_PER_BLOCK = frozenset({"heartbeat_s", "cpu_s", "wall_s"})
