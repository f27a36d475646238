"""How the engine hands a GPU to a container."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from docker.types import DeviceRequest

RUNTIME = "nvidia"
CDI_ALL = "nvidia.com/gpu=all"
INSTALL_TOOLKIT = (
    "install the NVIDIA container toolkit, run `nvidia-ctk runtime configure --runtime=docker`, "
    "and restart the engine"
)


class GpuAccess(StrEnum):
    """What the engine has for it."""

    RUNTIME = "runtime"
    """NVIDIA's container runtime is registered."""
    CDI = "cdi"
    """It has found GPUs described for the Container Device Interface; API 1.50 and newer tell."""


def gpu_access(info: Mapping[str, Any]) -> GpuAccess | None:
    """What the engine's ``GET /info`` says; None for no access."""
    if RUNTIME in (info.get("Runtimes") or {}):
        return GpuAccess.RUNTIME
    devices = {device.get("ID") for device in info.get("DiscoveredDevices") or ()}
    return GpuAccess.CDI if CDI_ALL in devices else None


def device_requests(access: GpuAccess) -> list[DeviceRequest]:
    """Ask for all GPUs of the machine."""
    if access is GpuAccess.CDI:
        return [DeviceRequest(driver="cdi", device_ids=[CDI_ALL])]
    return [DeviceRequest(count=-1, capabilities=[["gpu"]])]
