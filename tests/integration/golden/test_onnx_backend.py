"""ONNX's own backend tests become golden sets, and a service is held against each over HTTP."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ExitCode

ROOT = Path(__file__).resolve().parents[3]
# One of each kind: element types, text, booleans, several inputs and outputs, infinities, two data sets.
SOME = frozenset(
    {
        "test_abs", "test_add_uint8", "test_and2d", "test_argmax_default_axis_example",
        "test_min_uint64", "test_castlike_FLOAT_to_DOUBLE", "test_castlike_FLOAT16_to_FLOAT",
        "test_constant", "test_dropout_default_mask",
        "test_equal_string", "test_gemm_all_attributes", "test_isinf", "test_log", "test_lstm_defaults",
        "test_max_int8", "test_attention_4d_attn_mask_bool", "test_split_equal_parts_1d_opset13",
        "test_string_concat", "test_top_k", "test_where_example",
        "test_operator_exp", "test_Conv2d", "test_single_relu_model",
    }
)  # fmt: skip
SEQUENCES = frozenset({"test_sequence_insert_at_back"})


@pytest.fixture(scope="module")
def backend():
    spec = importlib.util.spec_from_file_location("onnx_backend", ROOT / "benchmarks/onnx_backend/run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def harness(*arguments):
    command = [sys.executable, "-m", "harness", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_some_are_imported_and_verified(backend, tmp_path):
    results = {result["model"]: result for result in backend.run(tmp_path, SOME | SEQUENCES)}
    assert results.keys() == SOME | SEQUENCES
    assert {name: results[name] for name in SOME if results[name]["outcome"] != "verified"} == {}
    assert results["test_sequence_insert_at_back"]["reason"] == "sequence values"


def test_a_wrong_value_is_off(backend, tmp_path):
    (tmp_path / "models").mkdir()
    write = backend.write_tests

    def spoilt(folder, wanted):
        write(folder, wanted)
        (output,) = folder.glob("node/*/test_data_set_0/output_0.pb")
        proto = backend.onnx.TensorProto.FromString(output.read_bytes())
        array = backend.numpy_helper.to_array(proto).copy()
        array.flat[0] += 0.1
        output.write_bytes(backend.numpy_helper.from_array(array, proto.name).SerializeToString())

    backend.write_tests = spoilt
    try:
        (result,) = backend.run(tmp_path / "spoilt", {"test_abs"})
    finally:
        backend.write_tests = write
    assert result["outcome"] == "off"
    assert result["reason"].startswith("golden.single.y: 1 of 1 cases are off")


def test_the_gate_takes_such_a_suite(backend, tmp_path):
    """Nothing about it is special: one of the sets in gate.toml, and the service of the folder."""
    models, golden = tmp_path / "models", tmp_path / "golden"
    backend.write_tests(models, {"test_top_k"})
    imported = harness("golden", "import", models / "node" / "test_top_k", "--out", golden, "--json")
    assert imported.returncode == 0
    assert json.loads(imported.stdout)["imported"][0]["cases"] == 1
    suite = backend.suite_of(golden, "test_top_k", models)
    config = tmp_path / "gate.toml"
    config.write_text(suite.text)
    (tmp_path / "service.py").write_text((backend.SUITE / "service.py").read_text())
    asked = ("--config", config, "--reference", "none", "--only", "golden", "--out", tmp_path / "reports")
    result = harness("run", *asked, "--json")
    assert result.returncode == ExitCode.PROMOTE, result.stderr
    checks = {check["id"]: check["outcome"] for check in json.loads(result.stdout)["checks"]}
    assert checks["golden.single"] in {"pass", "warn"}


@pytest.mark.slow
def test_every_one_that_can_be_is_verified(backend, tmp_path):
    results = backend.run(tmp_path)
    counts = backend.summary(results)
    published = json.loads((ROOT / "benchmarks/onnx_backend/results.json").read_text())
    assert counts["outcomes"] == published["outcomes"]
