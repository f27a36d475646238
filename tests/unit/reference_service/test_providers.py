"""The execution provider is the one asked for, or the service refuses; each worker gets its own GPU."""

import logging

import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_service.model.artifact import load_artifact
from reference_service.model.gpus import GpuError, gpu_device_files, gpu_for_each_worker, visible_gpus
from reference_service.model.providers import (
    ProviderError,
    open_session,
    require_available,
    require_first,
)

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


class Recorded:
    """Stands for ONNX Runtime: a session that got what the test says, and what it was asked for."""

    def __init__(self, created):
        self.created = created
        self.asked = None

    def __call__(self, _model, options, *, providers, enable_fallback):
        self.asked = (options, providers, enable_fallback)
        return self

    def get_providers(self):
        return self.created


@pytest.fixture
def runtime(monkeypatch):
    def build(created):
        fake = Recorded(created)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda **_: None)
        monkeypatch.setattr(onnxruntime, "InferenceSession", fake)
        return fake

    return build


def test_cpu_session_of_the_shipped_artifact(shared_settings):
    session = open_session(load_artifact(shared_settings.artifact).model, "cpu", intra_op_threads=1)
    assert session.get_providers()[0] == CPU


def test_cuda_is_refused_by_a_runtime_without_it(shared_settings):
    with pytest.raises(ProviderError, match=r"has only .*CPUExecutionProvider.*onnxruntime-gpu"):
        open_session(load_artifact(shared_settings.artifact).model, "cuda", intra_op_threads=1)


def test_cuda_session_asks_for_cuda_alone_without_tf32_and_without_fallback(runtime):
    fake = runtime([CUDA, CPU])
    assert open_session(b"", "cuda", intra_op_threads=1) is fake
    options, providers, enable_fallback = fake.asked
    assert [name for name, _ in providers] == [CUDA]
    assert providers[0][1] == {"device_id": "0", "use_tf32": "0"}
    assert options.get_session_config_entry("session.disable_cpu_ep_fallback") == "1"
    assert enable_fallback == 0


@pytest.mark.parametrize("created", [[CPU], [CPU, CUDA], []])
def test_cuda_session_that_got_something_else_is_refused(runtime, created):
    runtime(created)
    with pytest.raises(ProviderError, match=r"the session got .*driver"):
        open_session(b"", "cuda", intra_op_threads=1)


def test_operator_without_a_cuda_kernel_is_a_refusal(runtime, monkeypatch):
    def failing(*_, **__):
        raise RuntimeError("some nodes have been assigned to the CPU")

    runtime([CUDA])
    monkeypatch.setattr(onnxruntime, "InferenceSession", failing)
    with pytest.raises(ProviderError, match=r"can't be loaded on CUDAExecutionProvider.*assigned to the CPU"):
        open_session(b"", "cuda", intra_op_threads=1)


@given(st.lists(st.sampled_from([CPU, CUDA, "AzureExecutionProvider"]), unique=True))
def test_only_the_first_provider_of_a_session_counts(created):
    for provider, name in (("cpu", CPU), ("cuda", CUDA)):
        if created[:1] == [name]:
            require_first(provider, created)
        else:
            with pytest.raises(ProviderError):
                require_first(provider, created)
        if name in created:
            require_available(provider, created)
        else:
            with pytest.raises(ProviderError):
                require_available(provider, created)


@pytest.mark.parametrize(
    ("setting", "files", "expected"),
    [
        (None, [], []),
        (None, ["nvidia0", "nvidia1"], ["0", "1"]),
        (None, ["nvidia3"], ["0"]),  # CUDA counts what it sees, not what the host has
        ("", ["nvidia0"], []),
        ("-1", ["nvidia0"], []),
        ("1", ["nvidia0", "nvidia1"], ["1"]),
        ("1, 0", ["nvidia0", "nvidia1"], ["1", "0"]),
        ("0,-1,1", ["nvidia0", "nvidia1"], ["0"]),
        ("GPU-aa,MIG-bb", [], ["GPU-aa", "MIG-bb"]),
    ],
)
def test_visible_gpus_are_those_that_cuda_offers(setting, files, expected):
    assert visible_gpus(setting, files) == expected


def test_device_files_are_those_of_gpus(tmp_path):
    for name in ("nvidia1", "nvidia0", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert gpu_device_files(tmp_path) == ["nvidia0", "nvidia1"]


@given(st.integers(1, 8), st.lists(st.text(min_size=1), max_size=8, unique=True))
def test_no_two_workers_share_a_gpu(workers, gpus):
    if workers > len(gpus):
        with pytest.raises(GpuError, match=f"SERVICE_WORKERS={workers} .*visible are {len(gpus)}"):
            gpu_for_each_worker(workers, gpus)
    else:
        assigned = gpu_for_each_worker(workers, gpus)
        assert len(assigned) == len(set(assigned)) == workers
        assert set(assigned) <= set(gpus)


def test_service_refuses_in_one_line(settings, serve, caplog):
    wanted = settings.model_copy(update={"execution_provider": "cuda"})
    with caplog.at_level(logging.CRITICAL), pytest.raises(ProviderError):
        serve(wanted)
    told = [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]
    assert len(told) == 1
    assert told[0].startswith(
        "refusing to start: SERVICE_EXECUTION_PROVIDER=cuda: this ONNX Runtime has only "
    )
