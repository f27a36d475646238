"""The check for a machine with a GPU: on this one its comparison runs on the CPU, and it refuses the rest."""

import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest

from reference_service.model.inference import Model
from reference_service.model.providers import ProviderError

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "gpu_check.py"
_spec = importlib.util.spec_from_file_location("gpu_check", SCRIPT)
gpu_check = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = gpu_check
_spec.loader.exec_module(gpu_check)

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.fixture(scope="module")
def network():
    model = gpu_check.open_model("digits", "cpu")
    return model, gpu_check.read_golden(model, ROOT / "gate.digits.toml", ROOT / "golden" / "digits")


@pytest.fixture
def cuda_machine(monkeypatch):
    """A machine that looks as if it had a GPU."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(gpu_check, "gpu_device_files", lambda: ["nvidia0"])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_every_golden_case_is_compared_alone_and_in_batches_of_64():
    loaded, nodes, alone, batched = gpu_check.check_network("cpu")
    assert loaded == f"digits: loaded on {CPU}, of the session's {CPU}"
    assert re.fullmatch(rf"digits: nodes that ran the sample: \d+ on {CPU}", nodes)
    assert alone.startswith("digits: 450 golden cases in batches of 1, off by at most ")
    assert batched.startswith("digits: 450 golden cases in batches of 64, off by at most ")


def test_a_wrong_label_and_a_probability_beyond_the_tolerance_are_found(network):
    model, golden = network
    assert 0 < gpu_check.compare(model, golden, batch_rows=64) < golden.atol
    other = replace(golden, labels=(*golden.labels[:-1], "none"))
    with pytest.raises(gpu_check.CheckFailedError, match="1 of 450 cases differ in batches of 64: 1 labels"):
        gpu_check.compare(model, other, batch_rows=64)
    off = golden.probabilities.copy()
    off[7, 3] += 2 * golden.atol
    with pytest.raises(gpu_check.CheckFailedError, match=r"1 of 450 cases .* 0 labels"):
        gpu_check.compare(model, replace(golden, probabilities=off), batch_rows=64)


def test_a_probability_that_is_no_number_is_found(network):
    model, golden = network
    off = golden.probabilities * float("nan")
    with pytest.raises(gpu_check.CheckFailedError, match="450 of 450"):
        gpu_check.compare(model, replace(golden, probabilities=off), batch_rows=64)


def test_a_model_that_runs_elsewhere_is_found(monkeypatch):
    monkeypatch.setattr(Model, "execution_provider", CUDA)
    with pytest.raises(gpu_check.CheckFailedError, match=f"digits runs on {CUDA}, not on {CPU}"):
        gpu_check.check_network("cpu")


@pytest.mark.parametrize("nodes", [{CUDA: 9, CPU: 2}, {CUDA: 9}, {}, None])
def test_a_node_that_runs_elsewhere_is_found(monkeypatch, network, nodes):
    model, _ = network
    monkeypatch.setattr(gpu_check, "open_model", lambda *_: model)
    monkeypatch.setattr(model, "nodes_by_provider", nodes)
    told = "9 on CUDAExecutionProvider" if nodes else "unknown"
    with pytest.raises(gpu_check.CheckFailedError, match=f"nodes of digits by execution provider: {told}"):
        gpu_check.check_network("cpu")


def test_trees_have_to_be_refused(monkeypatch):
    def refuse(*_):
        raise ProviderError("model can't be loaded on CUDA")

    monkeypatch.setattr(gpu_check, "open_model", refuse)
    assert gpu_check.check_refusal("breast-cancer") == "breast-cancer: refused, model can't be loaded on CUDA"
    monkeypatch.setattr(gpu_check, "open_model", lambda *_: None)
    with pytest.raises(gpu_check.CheckFailedError, match="breast-cancer was loaded on CUDA"):
        gpu_check.check_refusal("breast-cancer")


@pytest.mark.usefixtures("cuda_machine")
@pytest.mark.parametrize("visible", [None, "0", "0,1"])
def test_a_machine_with_a_gpu_is_checked(monkeypatch, visible):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    gpu_check.require_gpu()


@pytest.mark.usefixtures("cuda_machine")
@pytest.mark.parametrize(
    ("files", "visible", "problem"),
    [
        ([], None, "0 in /dev"),
        ([], "0", "0 in /dev"),
        (["nvidia0"], "-1", "DEVICES=-1"),
        (["nvidia0"], "", "="),
    ],
)
def test_a_machine_without_one_is_not(monkeypatch, capsys, files, visible, problem):
    monkeypatch.setattr(gpu_check, "gpu_device_files", lambda: files)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_check.main() == 5
    told = capsys.readouterr().err
    assert told.startswith("NOTHING CHECKED: no GPU")
    assert problem in told


@pytest.mark.usefixtures("cuda_machine")
@pytest.mark.parametrize(
    ("network", "refusal", "code"),
    [(None, None, 0), (ProviderError("no kernel"), None, 3), (None, gpu_check.CheckFailedError("loaded"), 3)],
)
def test_exit_codes(monkeypatch, network, refusal, code):
    def outcome(error, seen):
        def act(_):
            if error:
                raise error
            return seen

        return act

    monkeypatch.setattr(gpu_check, "check_network", outcome(network, ["as it should be"]))
    monkeypatch.setattr(gpu_check, "check_refusal", outcome(refusal, "refused"))
    assert gpu_check.main() == code


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA")
def test_the_command_refuses_a_runtime_without_cuda():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(SCRIPT)]
    ended = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 5
    assert ended.stdout == ""
    assert ended.stderr.startswith(
        "NOTHING CHECKED: SERVICE_EXECUTION_PROVIDER=cuda: this ONNX Runtime has only "
    )
    assert "requirements/service-gpu.lock" in ended.stderr
