"""CPU time and memory of each side, block by block."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.checks.latency.gpu_usage import GpuMeter, GpuUsage
from harness.targets.interface import Endpoint

MIB = 1024 * 1024
QUICK_SHARE = 0.1
"""Readings that take at most this share of a block are made around every one, slower ones around several."""
LEAST_ROWS = 20
"""So many there are then over the whole budget."""

Row = tuple[float | None, ...]


class Usage(BaseModel):
    """What each side used; a row is a block, its numbers stand in the order of ``LatencyEvidence.sides``.

    A number is None where the target does not tell. Where telling takes long, by an engine whose control
    groups are out of this machine's reach, only every so many rows have numbers, those between have none.

    Attributes:
        cpu_s: CPU seconds since the end of the last row with numbers; time between blocks does not count.
        memory_bytes: Anonymous memory at the end of the block.
        gpu: Of the GPUs, in rows of its own; None where the sides do not run on one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_s: tuple[Row, ...] = ()
    memory_bytes: tuple[Row, ...] = ()
    gpu: GpuUsage | None = None

    def until(self, block: int) -> Self:
        """Return the rows of the blocks before `block`."""
        return self.model_copy(
            update={"cpu_s": self.cpu_s[:block], "memory_bytes": self.memory_bytes[:block]}
        )

    def cpu_of(self, side: int) -> NDArray[np.float64]:
        """Return the CPU seconds of one side, shape (blocks,), NaN for none."""
        return _column(self.cpu_s, side)

    def peak_mib(self, side: int) -> float | None:
        """Return the most that one side held, in MiB, None where it is not told."""
        told = self.memory_of(side)
        told = told[np.isfinite(told)]
        return float(told.max()) / MIB if told.size else None

    def memory_of(self, side: int) -> NDArray[np.float64]:
        """Return the bytes of one side, shape (blocks,), NaN for none."""
        return _column(self.memory_bytes, side)


class UsageMeter:
    """Reads the sides before and after each block.

    Args:
        endpoints: In the order of the sides.
        blocks: How many are planned.
        block_s: Expected duration of each.
        gpu: Reads the GPUs; None where the sides do not run on one.
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], *, blocks: int, block_s: float, gpu: GpuMeter | None = None
    ) -> None:
        self._endpoints = endpoints
        self._gpu = gpu
        self._quick_s = QUICK_SHARE * block_s
        self._several = max(1, blocks // LEAST_ROWS)
        self._every = 0
        self._before: Row | None = None
        self._cpu_s: list[Row] = []
        self._memory_bytes: list[Row] = []

    @contextmanager
    def block(self) -> Iterator[None]:
        """Read around a block; of one that fails nothing is kept.

        Raises:
            InfrastructureError: An engine that was asked failed.
        """
        if self._before is None:
            started = time.perf_counter()
            self._before = self._cpu()
            quick = time.perf_counter() - started <= self._quick_s
            self._every = self._every or (1 if quick else self._several)
        before = self._before
        yield
        self._keep(before)
        if self._gpu is not None:
            self._gpu.read(len(self._cpu_s) - 1)

    def _keep(self, before: Row) -> None:
        """Keep a row of the block that has ended."""
        if (len(self._cpu_s) + 1) % self._every:
            self._cpu_s.append((None,) * len(self._endpoints))
            self._memory_bytes.append((None,) * len(self._endpoints))
            return
        self._cpu_s.append(tuple(map(_used, before, self._cpu())))
        self._memory_bytes.append(tuple(endpoint.memory_bytes() for endpoint in self._endpoints))
        self._before = None

    @property
    def usage(self) -> Usage:
        """Return what was read so far."""
        return Usage(
            cpu_s=tuple(self._cpu_s),
            memory_bytes=tuple(self._memory_bytes),
            gpu=None if self._gpu is None else self._gpu.usage,
        )

    def _cpu(self) -> Row:
        return tuple(endpoint.cpu_s() for endpoint in self._endpoints)


def _used(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _column(rows: Sequence[Row], side: int) -> NDArray[np.float64]:
    return np.array([math.nan if row[side] is None else row[side] for row in rows], dtype=np.float64)
