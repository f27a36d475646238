"""Reads CPU time and memory of the sides around each block."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.checks.latency.gpu_meter import GpuMeter
from harness.checks.latency.usage import Row, Usage
from harness.model import Scope
from harness.targets.interface import Endpoint

QUICK_SHARE = 0.1
"""Readings that take at most this share of a block are made around every one, slower ones around several."""
LEAST_ROWS = 20
"""So many there are then over the whole budget."""


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
            containers=tuple(each.description.kind is Scope.CONTAINER for each in self._endpoints),
            gpu=None if self._gpu is None else self._gpu.usage,
        )

    def _cpu(self) -> Row:
        return tuple(endpoint.cpu_s() for endpoint in self._endpoints)


def _used(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
