"""What the doctor makes of a machine with GPUs, from recorded words of engine and driver."""

import sys

import pytest
from recorded_nvml import GIB, LIBRARY_NOT_FOUND, Device, Recorded

from harness.cli.diagnosis import State
from harness.cli.doctor_gpu import diagnose_access, diagnose_gpus
from harness.targets.gpu import GpuAccess, device_requests, gpu_access

RUNC = {"Runtimes": {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}}}
WITH_RUNTIME = {"Runtimes": {**RUNC["Runtimes"], "nvidia": {"path": "nvidia-container-runtime"}}}
WITH_CDI = {
    **RUNC,
    "CDISpecDirs": ["/etc/cdi", "/var/run/cdi"],
    "DiscoveredDevices": [
        {"Source": "cdi", "ID": "nvidia.com/gpu=0"},
        {"Source": "cdi", "ID": "nvidia.com/gpu=all"},
    ],
}
OF_ANOTHER = {
    **RUNC,
    "CDISpecDirs": ["/etc/cdi"],
    "DiscoveredDevices": [{"Source": "cdi", "ID": "intel.com/gpu=all"}],
}


@pytest.mark.parametrize(
    ("info", "access"),
    [
        (RUNC, None),
        ({"Runtimes": None, "DiscoveredDevices": None}, None),
        ({}, None),
        (OF_ANOTHER, None),
        (WITH_RUNTIME, GpuAccess.RUNTIME),
        (WITH_CDI, GpuAccess.CDI),
        (WITH_RUNTIME | {"DiscoveredDevices": WITH_CDI["DiscoveredDevices"]}, GpuAccess.RUNTIME),
    ],
)
def test_the_way_to_a_gpu_is_what_the_engine_says(info, access):
    assert gpu_access(info) is access
    diagnosis = diagnose_access(info)
    assert diagnosis.state is (State.FAIL if access is None else State.OK)
    assert ("nvidia-ctk" in diagnosis.fix) is (access is None)


def test_what_the_engine_is_asked_for():
    assert device_requests(GpuAccess.RUNTIME) == [
        {"Driver": "", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}}
    ]
    assert device_requests(GpuAccess.CDI) == [
        {"Driver": "cdi", "Count": 0, "DeviceIDs": ["nvidia.com/gpu=all"], "Capabilities": [], "Options": {}}
    ]


@pytest.fixture
def diagnosed(monkeypatch):
    def diagnose(*devices, **given):
        monkeypatch.setitem(sys.modules, "pynvml", Recorded(*devices, **given))
        return list(diagnose_gpus())

    return diagnose


def test_a_machine_that_is_ready(diagnosed):
    driver, gpu = diagnosed(Device())
    assert (driver.state, driver.seen) == (State.OK, "580.82.07")
    assert (gpu.state, gpu.seen) == (State.OK, "NVIDIA H100 80GB HBM3, 79.6 GiB, 0.6 GiB in use")


def test_every_gpu_is_told_and_one_in_use_is_a_warning(diagnosed):
    _, free, used = diagnosed(Device(), Device(used=40 * GIB))
    assert free.state is State.OK
    assert (used.state, bool(used.fix)) == (State.WARN, True)


@pytest.mark.parametrize("version", ["570.211.01", "", "unknown"])
def test_a_driver_that_is_too_old_or_not_to_be_read(diagnosed, version):
    driver, _ = diagnosed(Device(), driver=version)
    assert (driver.state, driver.fix) == (State.FAIL, "install the NVIDIA driver, 580 or newer")


def test_no_gpu_and_no_driver(diagnosed):
    _, none = diagnosed()
    assert (none.state, none.seen) == (State.FAIL, "the driver shows none")
    (driver,) = diagnosed(init_error=LIBRARY_NOT_FOUND)
    assert (driver.state, driver.seen) == (State.FAIL, "NVML: NVML Shared Library Not Found")
