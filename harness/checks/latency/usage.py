"""CPU time and memory of each side, block by block."""

import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.checks.latency.gpu_usage import GpuUsage

MIB = 1024 * 1024
Row = tuple[float | None, ...]


class Usage(BaseModel):
    """What each side used; a row is a block, its numbers stand in the order of ``LatencyEvidence.sides``.

    A number is None where the target does not tell. Where telling takes long, by an engine whose control
    groups are out of this machine's reach, only every so many rows have numbers, those between have none.

    Attributes:
        cpu_s: CPU seconds since the end of the last row with numbers; time between blocks does not count.
        memory_bytes: Anonymous memory at the end of the block.
        containers: Which sides are containers, whose engine or kernel has to tell; empty where nobody looked.
        gpu: Of the GPUs, in rows of its own; None where the sides do not run on one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_s: tuple[Row, ...] = ()
    memory_bytes: tuple[Row, ...] = ()
    containers: tuple[bool, ...] = ()
    gpu: GpuUsage | None = None

    def until(self, block: int) -> Self:
        """Return the rows of the blocks before `block`."""
        return self.model_copy(
            update={"cpu_s": self.cpu_s[:block], "memory_bytes": self.memory_bytes[:block]}
        )

    def cpu_of(self, side: int) -> NDArray[np.float64]:
        """Return the CPU seconds of one side, shape (blocks,), NaN for none."""
        return _column(self.cpu_s, side)

    def is_container(self, side: int) -> bool | None:
        """Return whether one side is a container, None where that is not known."""
        return self.containers[side] if self.containers else None

    def peak_mib(self, side: int) -> float | None:
        """Return the most that one side held, in MiB, None where it is not told."""
        told = self.memory_of(side)
        told = told[np.isfinite(told)]
        return float(told.max()) / MIB if told.size else None

    def memory_of(self, side: int) -> NDArray[np.float64]:
        """Return the bytes of one side, shape (blocks,), NaN for none."""
        return _column(self.memory_bytes, side)


def _column(rows: Sequence[Row], side: int) -> NDArray[np.float64]:
    return np.array([math.nan if row[side] is None else row[side] for row in rows], dtype=np.float64)
