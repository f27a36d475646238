"""The nodes of a model by execution provider: from a real profile, and from recorded events of CUDA."""

import json
import tempfile
from pathlib import Path

import pytest

from reference_service.model.artifact import load_artifact
from reference_service.model.inference import Model
from reference_service.model.placement import count_nodes, profile_folder, read_profile

ARTIFACTS = Path(__file__).parents[3] / "reference_service" / "artifacts"
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


def event(name, provider, *, cat="Node", **args):
    return {
        "cat": cat,
        "name": name,
        "ts": 1,
        "dur": 1,
        "args": {"op_name": "X", "provider": provider, **args},
    }


def load(name):
    return Model(
        load_artifact(ARTIFACTS / name), provider="cpu", intra_op_threads=1, observe_run=lambda **_: None
    )


@pytest.mark.parametrize(("name", "least"), [("breast-cancer", 1), ("digits", 8)])
def test_the_sample_of_a_shipped_artifact_is_profiled(name, least):
    model = load(name)
    assert model.execution_providers == [CPU]
    assert model.nodes_by_provider.keys() == {CPU}
    assert model.nodes_by_provider[CPU] >= least


def test_the_profile_is_gone_and_no_later_run_writes_one(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = load("digits")
    model.verify_sample()
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written_the_model_is_served_and_nobody_knows(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert load("digits").nodes_by_provider is None
    assert "no profile of the sample" in caplog.text


def test_each_node_counts_once_for_the_provider_that_ran_it():
    events = [
        {"cat": "Session", "name": "model_loading_array", "ts": 1, "dur": 1, "args": {}},
        {"cat": "Session", "name": "session_initialization", "ts": 1, "dur": 1},
        event("Memcpy_kernel_time", CUDA),
        event("conv1_kernel_time", CUDA),
        event("conv1_kernel_time", CUDA),
        event("Shape_3_kernel_time", CPU),
        event("conv1_fence_before", CUDA),
        event("void cudnn::ops::nchwToNhwc", CUDA, cat="Kernel"),
        {"cat": "Node", "name": "SequentialExecutor::Execute", "ts": 1, "dur": 1, "args": {}},
    ]
    assert count_nodes(events) == {CPU: 1, CUDA: 2}


@pytest.mark.parametrize("text", ["", "[{", None])
def test_a_profile_that_cannot_be_read_is_no_count(tmp_path, text):
    path = tmp_path / "run.json"
    if text is not None:
        path.write_text(text)
    assert read_profile(path) is None


def test_the_folder_goes_with_the_profile():
    with profile_folder() as folder:
        (folder / "run.json").write_text(json.dumps([event("a_kernel_time", CPU)]))
        assert read_profile(folder / "run.json") == {CPU: 1}
    assert not folder.exists()
