"""Which GPU each process gets: one for every worker. Loads no runtime, so that a supervisor can ask."""

import itertools
from collections.abc import Sequence
from pathlib import Path


class GpuError(Exception):
    """There are fewer GPUs than workers."""


def visible_gpus(setting: str | None, device_files: Sequence[str]) -> list[str]:
    """Return the GPUs that CUDA would offer, as values for `CUDA_VISIBLE_DEVICES`.

    Args:
        setting: `CUDA_VISIBLE_DEVICES`; None where it is not set. CUDA ignores what follows an invalid entry.
        device_files: Names of the character devices of NVIDIA GPUs, one for each GPU.
    """
    if setting is None:
        return [str(number) for number in range(len(device_files))]
    entries = (entry.strip() for entry in setting.split(","))
    return list(itertools.takewhile(lambda entry: entry and not entry.startswith("-"), entries))


def gpu_device_files(folder: Path = Path("/dev")) -> list[str]:
    """List the character devices of this machine's or container's GPUs."""
    return sorted(path.name for path in folder.glob("nvidia[0-9]*"))


def gpu_for_each_worker(workers: int, gpus: Sequence[str]) -> list[str]:
    """Give every worker a GPU of its own.

    Raises:
        GpuError: There are fewer GPUs than workers.
    """
    if workers > len(gpus):
        raise GpuError(
            f"SERVICE_WORKERS={workers} with SERVICE_EXECUTION_PROVIDER=cuda needs a GPU for each worker; "
            f"visible are {len(gpus)} ({', '.join(gpus) or 'none'}): lower SERVICE_WORKERS, or give the "
            "container more GPUs and check CUDA_VISIBLE_DEVICES"
        )
    return list(gpus[:workers])
