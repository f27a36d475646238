"""Reads the GPUs after blocks, and which of their processes are whose."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from harness.checks.latency.gpu_usage import GpuSample, GpuUsage
from harness.nvml import GpuReading, Nvml, open_nvml
from harness.targets.interface import Endpoint

MOST_SAMPLES = 20
"""Over the whole budget: each takes the driver some milliseconds, while nothing is in flight."""


class GpuMeter:
    """Reads the GPUs after blocks.

    Args:
        nvml: The open library.
        endpoints: The sides; their processes are asked for each time, since workers come and go.
        blocks: How many are planned.
    """

    def __init__(self, nvml: Nvml, endpoints: Sequence[Endpoint], *, blocks: int) -> None:
        self._nvml = nvml
        self._endpoints = endpoints
        self._every = -(-blocks // MOST_SAMPLES)
        self._gpus = tuple(gpu.name for gpu in nvml.gpus())
        self._samples: list[GpuSample] = []

    def read(self, block: int) -> None:
        """Take a sample after the block of this number, if one is due: always after the first.

        Raises:
            InfrastructureError: NVML failed, or the engine.
        """
        if block % self._every:
            return
        readings = self._nvml.read()
        sides = [_pids(endpoint) for endpoint in self._endpoints]
        held = [None if pids is None else _held(readings, pids) for pids in sides]
        self._samples.append(
            GpuSample(
                block=block,
                utilisation=tuple(reading.utilisation for reading in readings),
                processes=tuple(None if each is None else len(each) for each in held),
                memory_bytes=tuple(None if each is None else _total(each) for each in held),
            )
        )

    @property
    def usage(self) -> GpuUsage:
        """What was read so far."""
        return GpuUsage(gpus=self._gpus, samples=tuple(self._samples))


@contextmanager
def gpu_meter(endpoints: Sequence[Endpoint], *, blocks: int) -> Iterator[GpuMeter | None]:
    """Open NVML for a load; None where it does not run on a GPU.

    Raises:
        InfrastructureError: NVML failed, or the engine.
    """
    if all(endpoint.description.device == "cpu" for endpoint in endpoints):
        yield None
        return
    with open_nvml() as nvml:
        yield GpuMeter(nvml, endpoints, blocks=blocks)


def _pids(endpoint: Endpoint) -> frozenset[int] | None:
    """Its processes, None where not one is seen in this machine's ``/proc``, or it has ended."""
    if not endpoint.alive():
        return None
    seen = [process.pid for process in endpoint.processes() if process.capabilities is not None]
    return frozenset(seen) or None


def _held(readings: Sequence[GpuReading], pids: Collection[int]) -> Mapping[tuple[str, int], int | None]:
    """Bytes by GPU and process."""
    return {
        (reading.uuid, pid): held
        for reading in readings
        for pid, held in reading.processes.items()
        if pid in pids
    }


def _total(held: Mapping[tuple[str, int], int | None]) -> int | None:
    told = [each for each in held.values() if each is not None]
    return sum(told) if len(told) == len(held) else None
