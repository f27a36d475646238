"""Stands in for the module ``pynvml``, with what it says on a machine with GPUs; the library is not there."""

from dataclasses import dataclass, field
from types import SimpleNamespace

NOT_SUPPORTED = 3
LIBRARY_NOT_FOUND = 12
GIB = 1024**3


class NVMLError(Exception):
    def __init__(self, value):
        super().__init__(
            {3: "Not Supported", 9: "Driver Not Loaded", 12: "NVML Shared Library Not Found"}[value]
        )
        self.value = value


@dataclass
class Device:
    name: str = "NVIDIA H100 80GB HBM3"
    uuid: str = "GPU-3a6c1bc8-0d2e-4a53-9d6b-0f4b8e5c7a11"
    total: int = 85_520_809_984
    used: int = 607_322_112
    utilisation: int | None = 37
    """Percent; None as a MIG instance has it."""
    processes: dict[int, int | None] = field(default_factory=dict)


class Recorded:
    """The functions that the harness calls."""

    NVML_ERROR_NOT_SUPPORTED = NOT_SUPPORTED
    NVML_ERROR_NO_PERMISSION = 4
    NVML_ERROR_DRIVER_NOT_LOADED = 9
    NVML_ERROR_LIBRARY_NOT_FOUND = LIBRARY_NOT_FOUND
    NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18
    NVMLError = NVMLError

    def __init__(self, *devices, driver="580.82.07", init_error=None):
        self.devices = devices
        self.driver = driver
        self.init_error = init_error
        self.opened = 0

    def nvmlInit(self):
        if self.init_error is not None:
            raise NVMLError(self.init_error)
        self.opened += 1

    def nvmlShutdown(self):
        self.opened -= 1

    def nvmlSystemGetDriverVersion(self):
        return self.driver

    def nvmlDeviceGetCount(self):
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index):
        return self.devices[index]

    def nvmlDeviceGetName(self, device):
        return device.name

    def nvmlDeviceGetUUID(self, device):
        return device.uuid

    def nvmlDeviceGetMemoryInfo(self, device):
        return SimpleNamespace(total=device.total, used=device.used, free=device.total - device.used)

    def nvmlDeviceGetUtilizationRates(self, device):
        if device.utilisation is None:
            raise NVMLError(NOT_SUPPORTED)
        return SimpleNamespace(gpu=device.utilisation, memory=5)

    def nvmlDeviceGetComputeRunningProcesses(self, device):
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in device.processes.items()]
