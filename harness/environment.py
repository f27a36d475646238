"""The machine and software a run was made on."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path

from harness.model import Environment
from harness.targets.engine import Engine

PACKAGES = ("docker", "httpx", "hypothesis", "locust", "numpy", "pydantic", "schemathesis", "testcontainers")
GPU_QUERY_TIMEOUT_S = 10


def capture(engine: Engine | None, *, gpu: bool) -> Environment:
    """What the report says of this machine.

    Args:
        engine: The engine of the run, None for none.
        gpu: Whether to ask for the GPU and its driver.
    """
    name, driver = _gpu() if gpu else (None, None)
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


def _gpu() -> tuple[str | None, str | None]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None, None
    query = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        output = subprocess.run(
            query, capture_output=True, text=True, timeout=GPU_QUERY_TIMEOUT_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None, None
    name, _, driver = output.partition("\n")[0].partition(", ")
    return name or None, driver or None
