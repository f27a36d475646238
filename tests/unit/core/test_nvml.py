"""GPUs as NVML tells of them: a recorded library, and the real bindings where there is no driver."""

import sys
from pathlib import Path

import pynvml
import pytest
from recorded_nvml import LIBRARY_NOT_FOUND, Device, NVMLError, Recorded

from harness.environment import capture
from harness.errors import InfrastructureError
from harness.nvml import FIXES, INSTALL_BINDINGS, INSTALL_DRIVER, open_nvml, require_gpus

DRIVER = Path("/dev/nvidiactl").exists()


@pytest.fixture
def recorded(monkeypatch):
    def put(*devices, **given):
        library = Recorded(*devices, **given)
        monkeypatch.setitem(sys.modules, "pynvml", library)
        return library

    return put


def test_gpus_and_driver_are_read_and_the_library_is_closed(recorded):
    library = recorded(Device(), Device(uuid="GPU-2", used=0))
    with open_nvml() as nvml:
        assert nvml.driver() == "580.82.07"
        first, second = nvml.gpus()
    assert (first.name, first.memory_bytes, first.used_bytes) == (
        "NVIDIA H100 80GB HBM3",
        85_520_809_984,
        607_322_112,
    )
    assert (second.uuid, second.used_bytes) == ("GPU-2", 0)
    assert library.opened == 0


def test_a_reading_has_utilisation_and_the_memory_of_each_process(recorded):
    recorded(Device(processes={4711: 512, 4712: None}), Device(utilisation=None))
    with open_nvml() as nvml:
        first, second = nvml.read()
    assert first.utilisation == pytest.approx(0.37)
    assert first.processes == {4711: 512, 4712: None}
    assert second.utilisation is None


def test_an_error_closes_the_library_and_names_the_fix(recorded):
    library = recorded(Device())
    library.nvmlDeviceGetCount = lambda: (_ for _ in ()).throw(NVMLError(9))
    with pytest.raises(InfrastructureError, match="Driver Not Loaded") as raised, open_nvml() as nvml:
        nvml.gpus()
    assert "modprobe" in raised.value.fix
    assert library.opened == 0


def test_without_the_bindings_the_extra_is_the_fix(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(InfrastructureError, match="nvidia-ml-py is not installed") as raised, open_nvml():
        pass
    assert raised.value.fix == INSTALL_BINDINGS


@pytest.mark.skipif(DRIVER, reason="this machine has NVIDIA's driver")
def test_the_real_bindings_without_a_driver_are_told_with_the_fix():
    with pytest.raises(InfrastructureError, match="NVML") as raised, open_nvml():
        pass
    assert raised.value.fix == INSTALL_DRIVER


def test_the_bindings_have_what_is_called_and_what_is_caught():
    assert issubclass(pynvml.NVMLError, Exception)
    missing = [name for name in vars(Recorded) if name.startswith("nvml") and not hasattr(pynvml, name)]
    assert missing == []
    for name in (*FIXES, "NVML_ERROR_NOT_SUPPORTED"):
        assert getattr(pynvml, name) == getattr(Recorded, name)


def test_a_gpu_is_required(recorded):
    recorded(Device())
    require_gpus()
    recorded()
    with pytest.raises(InfrastructureError, match="shows no GPU"):
        require_gpus()


@pytest.mark.parametrize(
    ("devices", "gpu"),
    [
        ([Device()], "NVIDIA H100 80GB HBM3 (79.6 GiB)"),
        ([Device(), Device()], "2 x NVIDIA H100 80GB HBM3 (79.6 GiB)"),
        (
            [Device(), Device(name="NVIDIA L4", total=24 * 1024**3)],
            "NVIDIA H100 80GB HBM3 (79.6 GiB), NVIDIA L4 (24.0 GiB)",
        ),
        ([], None),
    ],
)
def test_the_environment_names_the_gpus_and_the_driver(recorded, devices, gpu):
    recorded(*devices)
    found = capture(None, gpu=True)
    assert (found.gpu, found.driver) == (gpu, "580.82.07")


def test_what_nvml_does_not_tell_is_left_open(recorded):
    recorded(init_error=LIBRARY_NOT_FOUND)
    found = capture(None, gpu=True)
    assert (found.gpu, found.driver) == (None, None)


def test_on_a_cpu_nobody_asks_for_gpus(recorded):
    library = recorded(Device())
    library.nvmlInit = lambda: pytest.fail("NVML was opened")
    assert capture(None, gpu=False).gpu is None
