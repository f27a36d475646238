"""What NVML tells of this machine's NVIDIA GPUs; ``nvidia-ml-py`` is imported when it is first asked."""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.errors import InfrastructureError

INSTALL_BINDINGS = ".venv/bin/pip install -e '.[gpu]' in the checkout of harness"
INSTALL_DRIVER = "install the NVIDIA driver, 580 or newer"
FIXES = {
    "NVML_ERROR_LIBRARY_NOT_FOUND": INSTALL_DRIVER,
    "NVML_ERROR_DRIVER_NOT_LOADED": "load the NVIDIA driver (`modprobe nvidia`), or restart the machine",
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": "the driver was updated while loaded: restart the machine",
    "NVML_ERROR_NO_PERMISSION": "allow this user to open /dev/nvidiactl and /dev/nvidia0",
}
"""What to do about the errors that a machine can be the cause of, by their name in the library."""


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
        uuid: The driver's name for it (``GPU-...``).
        name: Its model.
        memory_bytes: All it has.
        used_bytes: What is in use, by whomever.
    """

    uuid: str
    name: str
    memory_bytes: int
    used_bytes: int


@dataclass(frozen=True)
class GpuReading:
    """One GPU at one moment.

    Attributes:
        uuid: Of the GPU.
        utilisation: Share of the driver's last sample period (at most a second) in which a kernel ran,
            whoever's; None where the device does not tell (a MIG instance).
        processes: Memory by process id, as this process sees that; None where the driver does not tell.
    """

    uuid: str
    utilisation: float | None
    processes: Mapping[int, int | None]


class Nvml:
    """The open library.

    Args:
        library: The module ``pynvml``.
    """

    def __init__(self, library: Any) -> None:
        self._library = library

    def driver(self) -> str:
        """The version of the driver (``580.82.07``).

        Raises:
            InfrastructureError: NVML failed; so do the others.
        """
        with _told(self._library):
            return str(self._library.nvmlSystemGetDriverVersion())

    def gpus(self) -> tuple[Gpu, ...]:
        """The GPUs that the driver shows this process, in its order."""
        library = self._library
        with _told(library):
            found = []
            for handle in self._handles():
                memory = library.nvmlDeviceGetMemoryInfo(handle)
                found.append(
                    Gpu(
                        uuid=str(library.nvmlDeviceGetUUID(handle)),
                        name=str(library.nvmlDeviceGetName(handle)),
                        memory_bytes=int(memory.total),
                        used_bytes=int(memory.used),
                    )
                )
            return tuple(found)

    def read(self) -> tuple[GpuReading, ...]:
        """Every GPU as it is now."""
        library = self._library
        with _told(library):
            return tuple(
                GpuReading(
                    uuid=str(library.nvmlDeviceGetUUID(handle)),
                    utilisation=self._utilisation(handle),
                    processes={
                        int(process.pid): process.usedGpuMemory
                        for process in library.nvmlDeviceGetComputeRunningProcesses(handle)
                    },
                )
                for handle in self._handles()
            )

    def _handles(self) -> list[Any]:
        library = self._library
        return [library.nvmlDeviceGetHandleByIndex(index) for index in range(library.nvmlDeviceGetCount())]

    def _utilisation(self, handle: Any) -> float | None:
        try:
            return float(self._library.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
        except self._library.NVMLError as error:
            if error.value == self._library.NVML_ERROR_NOT_SUPPORTED:
                return None
            raise


@contextmanager
def open_nvml() -> Iterator[Nvml]:
    """Open the library for a while.

    Raises:
        InfrastructureError: the bindings, the driver's library or the driver is not there, and the fix.
    """
    try:
        library = importlib.import_module("pynvml")
    except ImportError as error:
        raise InfrastructureError("nvidia-ml-py is not installed", fix=INSTALL_BINDINGS) from error
    with _told(library):
        library.nvmlInit()
    try:
        yield Nvml(library)
    finally:
        with _told(library):
            library.nvmlShutdown()


def require_gpus() -> None:
    """Make sure that NVML answers and shows a GPU, before anything is built for one.

    Raises:
        InfrastructureError: it does not.
    """
    with open_nvml() as nvml:
        if not nvml.gpus():
            raise InfrastructureError("NVML: the driver shows no GPU", fix="`harness doctor --device gpu`")


@contextmanager
def _told(library: Any) -> Iterator[None]:
    try:
        yield
    except library.NVMLError as error:
        named = (name for name in FIXES if getattr(library, name) == error.value)
        raise InfrastructureError(f"NVML: {error}", fix=FIXES.get(next(named, ""), INSTALL_DRIVER)) from error
