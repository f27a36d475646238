"""What the GPUs did under load, and what each side's processes held of their memory."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict


class GpuSample(BaseModel):
    """The GPUs right after a block.

    A number of a side is None where its processes are of another kernel than this machine's: NVML's process
    ids then say nothing of them.

    Attributes:
        block: Number of the block.
        utilisation: Of each GPU, the share of the driver's last sample period in which a kernel ran,
            whoever's; None where it does not tell.
        processes: How many processes of each side were on a GPU.
        memory_bytes: What they held there; None also where the driver does not tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    block: int
    utilisation: tuple[float | None, ...]
    processes: tuple[int | None, ...]
    memory_bytes: tuple[int | None, ...]


class GpuUsage(BaseModel):
    """The samples of a load; sides stand in the order of ``LatencyEvidence.sides``.

    Attributes:
        gpus: The models of the GPUs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gpus: tuple[str, ...]
    samples: tuple[GpuSample, ...] = ()

    def processes_of(self, side: int) -> int | None:
        """The most processes that a side had on a GPU; None where nobody knows."""
        return _most(sample.processes[side] for sample in self.samples)

    def least_processes_of(self, side: int) -> int | None:
        """The fewest that were told; None where nobody knows."""
        told = (sample.processes[side] for sample in self.samples)
        return min((number for number in told if number is not None), default=None)

    def memory_of(self, side: int) -> int | None:
        """The most bytes that a side held; None where nobody knows."""
        return _most(sample.memory_bytes[side] for sample in self.samples)

    @property
    def utilisation(self) -> float | None:
        """Mean over samples and GPUs; None where nobody knows."""
        told = [share for sample in self.samples for share in sample.utilisation if share is not None]
        return sum(told) / len(told) if told else None


def _most(told: Iterable[int | None]) -> int | None:
    return max((number for number in told if number is not None), default=None)
