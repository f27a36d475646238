"""What ``harness doctor --device gpu`` says of GPUs: the engine's way to them, driver, memory."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.cli.diagnosis import Diagnosis, State, gib, held
from harness.errors import InfrastructureError
from harness.nvml import INSTALL_DRIVER, Gpu, open_nvml
from harness.targets.gpu import INSTALL_TOOLKIT, GpuAccess, gpu_access

OLDEST_DRIVER = 580
"""The first for CUDA 13, with which ``onnxruntime-gpu`` is built."""
MOST_USED_SHARE = 0.1
SEEN = {
    GpuAccess.RUNTIME: "the engine has NVIDIA's runtime",
    GpuAccess.CDI: "the engine has found the GPUs by CDI",
    None: "the engine has neither NVIDIA's runtime nor CDI devices of NVIDIA",
}


def diagnose_access(info: Mapping[str, Any]) -> Diagnosis:
    """Whether the engine, by what its ``GET /info`` says, can hand a GPU to a container."""
    access = gpu_access(info)
    return held("gpu engine", access is not None, SEEN[access], INSTALL_TOOLKIT, State.FAIL)


def diagnose_gpus() -> Iterator[Diagnosis]:
    """The driver and what it shows of GPUs."""
    try:
        with open_nvml() as nvml:
            driver, gpus = nvml.driver(), nvml.gpus()
    except InfrastructureError as error:
        yield Diagnosis("gpu driver", State.FAIL, str(error), error.fix)
        return
    yield diagnose_driver(driver)
    yield from diagnose_devices(gpus)


def diagnose_driver(version: str) -> Diagnosis:
    """Whether the driver is new enough."""
    major = version.partition(".")[0]
    good = major.isdecimal() and int(major) >= OLDEST_DRIVER
    return held("gpu driver", good, version, INSTALL_DRIVER, State.FAIL)


def diagnose_devices(gpus: Sequence[Gpu]) -> Iterator[Diagnosis]:
    """Whether there is a GPU, and for each whether it is free."""
    if not gpus:
        fix = "look for the device with `lspci`, and for the driver's words in `dmesg`"
        yield Diagnosis("gpu", State.FAIL, "the driver shows none", fix)
    for gpu in gpus:
        seen = f"{gpu.name}, {gib(gpu.memory_bytes)}, {gib(gpu.used_bytes)} in use"
        free = gpu.used_bytes <= MOST_USED_SHARE * gpu.memory_bytes
        fix = "stop what else uses it: it takes memory from the targets and time from the measurement"
        yield held("gpu", free, seen, fix, State.WARN)
