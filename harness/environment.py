"""The machine and software a run was made on."""

import importlib.metadata
import os
import platform
from collections import Counter
from pathlib import Path

from harness.errors import InfrastructureError
from harness.model import Environment
from harness.nvml import open_nvml
from harness.targets.engine import Engine

PACKAGES = ("docker", "httpx", "hypothesis", "locust", "numpy", "pydantic", "schemathesis", "testcontainers")


def capture(engine: Engine | None, *, gpu: bool) -> Environment:
    """What the report says of this machine.

    Args:
        engine: The engine of the run, None for none.
        gpu: Whether to ask for the GPU and its driver.
    """
    name, driver = _gpus() if gpu else (None, None)
    return Environment(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        gpu=name,
        driver=driver,
        kernel=platform.release(),
        engine=None if engine is None else engine.version,
        python=platform.python_version(),
        packages={package: importlib.metadata.version(package) for package in PACKAGES},
    )


def split_cores() -> tuple[str | None, tuple[int, ...] | None]:
    """Cores for the targets (as Docker writes them) and for the load generator.

    The generator gets the last one for itself; where there is only one core nobody is bound.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) == 1:
        return None, None
    return ",".join(str(core) for core in cores[:-1]), (cores[-1],)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _gpus() -> tuple[str | None, str | None]:
    """The models of the GPUs and the driver's version; None for what NVML does not tell."""
    try:
        with open_nvml() as nvml:
            driver, gpus = nvml.driver(), nvml.gpus()
    except InfrastructureError:
        return None, None
    names = Counter(f"{gpu.name} ({gpu.memory_bytes / 1024**3:.1f} GiB)" for gpu in gpus)
    told = ", ".join(name if count == 1 else f"{count} x {name}" for name, count in names.items())
    return told or None, driver
