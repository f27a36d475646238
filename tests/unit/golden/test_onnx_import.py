"""Importing ONNX test data: element types, names from the model, and why something is not supported."""

import json
import sys
import tomllib
from datetime import date

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from harness.checks.golden.settings import GoldenSettings
from harness.cli.golden_import import import_
from harness.errors import UsageError
from harness.golden.onnx_data import NotSupportedError, model_folders, read_model_tests
from harness.golden.onnx_import import import_all, import_model

TODAY = date(2026, 11, 22)


def write(folder, inputs, outputs, *, model=None, sets=1):
    """A model's folder; each value is an array or a proto."""
    for number in range(sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir(parents=True)
        for kind, values in (("input", inputs), ("output", outputs)):
            for position, value in enumerate(values):
                proto = numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
                (data / f"{kind}_{position}.pb").write_bytes(proto.SerializeToString())
    if model is not None:
        (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder


def model_of(inputs, outputs, initializers=()):
    values = [
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in ns] for ns in (inputs, outputs)
    ]
    given = [numpy_helper.from_array(np.zeros(1, np.float32), name) for name in initializers]
    nodes = [helper.make_node("Identity", [inputs[0]], [name]) for name in outputs]
    return helper.make_model(helper.make_graph(nodes, "g", *values, given), producer_name="exporter")


def imported(source, tmp_path):
    folder = tmp_path / "golden"
    import_model(source, folder, compress=False, today=TODAY)
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()]
    return (
        tomllib.loads((folder / "golden.toml").read_text()),
        cases,
        tomllib.loads((folder / "outputs.toml").read_text()),
    )


def test_inputs_and_outputs_have_the_names_of_the_model(tmp_path):
    model = model_of(["x", "weights", "y"], ["a/b"], initializers=["weights"])
    arrays = [np.array([1, 2], np.float32), np.array(3, np.float32)]
    source = write(tmp_path / "m", arrays, arrays[:1], model=model, sets=2)
    header, cases, outputs = imported(source, tmp_path)
    assert cases[0] == {
        "id": "test_data_set_0",
        "input": {"x": [1.0, 2.0], "y": 3.0},
        "expected": {"a/b": [1.0, 2.0]},
    }
    assert [case["id"] for case in cases] == ["test_data_set_0", "test_data_set_1"]
    assert header["producer"] | {"date": None} == {
        "name": "exporter",
        "version": "not told",
        "kind": "import",
        "date": None,
        "environment": f"imported by onnx {onnx.__version__}",
    }
    assert outputs["golden"]["outputs"]["a/b"] == {
        "pointer": "/outputs/a~1b",
        "dtype": "float32",
        "shape": [2],
        "nonfinite": "strings",
    }


def test_what_is_written_is_a_suite(tmp_path):
    _, _, outputs = imported(write(tmp_path / "m", [np.ones(2)], [np.ones(2)]), tmp_path)
    single = {"path": "/infer", "body": {"inputs": "${input}"}}
    settings = GoldenSettings.model_validate({"path": "golden", "single": single, **outputs["golden"]})
    assert settings.limits.tolerance("output_0").source == "onnxruntime's own test tolerances"


@pytest.mark.parametrize(
    ("array", "value", "dtype"),
    [
        (np.array([0.1], np.float32), [0.10000000149011612], "float32"),
        (np.array([np.nan, np.inf, -np.inf, 1]), ["NaN", "Infinity", "-Infinity", 1.0], "float64"),
        (np.array([0.5], np.float16), [0.5], "float16"),
        (np.array([-(2**63), 2**63 - 1]), [-(2**63), 2**63 - 1], "int64"),
        (np.array([2**64 - 1], np.uint64), [2**64 - 1], "uint64"),
        (np.array([-128], np.int8), [-128], "int8"),
        (np.array([[True], [False]]), [[True], [False]], "bool"),
        (np.array(["é"], object), ["é"], "string"),
    ],
    ids=["float32", "nonfinite", "float16", "int64", "uint64", "int8", "bool", "string"],
)
def test_values_are_exact(tmp_path, array, value, dtype):
    _, cases, outputs = imported(write(tmp_path / "m", [array], [array]), tmp_path)
    assert (cases[0]["input"], cases[0]["expected"]) == ({"input_0": value}, {"output_0": value})
    assert outputs["golden"]["outputs"]["output_0"]["dtype"] == dtype


def test_bfloat16_is_read(tmp_path):
    proto = helper.make_tensor("x", TensorProto.BFLOAT16, [1], [1.5])
    _, cases, outputs = imported(write(tmp_path / "m", [proto], [proto]), tmp_path)
    assert cases[0]["expected"] == {"x": [1.5]}
    assert outputs["golden"]["limits"]["outputs"]["x"]["atol"] == 2e-2


ONE = np.ones(1, np.float32)


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason"),
    [
        ([np.ones(1, np.complex64)], [ONE], "elements of type complex64"),
        ([np.ones((0, 2), np.float32)], [ONE], "an empty tensor whose shape a list cannot tell"),
        ([ONE], [np.ones(0, np.float32)], "an output without elements"),
        ([ONE], [], "no output"),
        ([numpy_helper.from_list([ONE])], [ONE], "files that hold no tensor"),
        ([helper.make_tensor("x", TensorProto.STRING, [1], [b"\xff"])], [ONE], "strings that are not UTF-8"),
    ],
    ids=["complex", "empty input", "empty output", "no output", "sequence", "not UTF-8"],
)
def test_what_is_not_supported_says_why(tmp_path, inputs, outputs, reason):
    source = write(tmp_path / "m", inputs, outputs)
    with pytest.raises(NotSupportedError, match=reason):
        import_model(source, tmp_path / "golden", compress=False, today=TODAY)
    assert not (tmp_path / "golden").exists()


def test_a_damaged_model_says_so(tmp_path):
    source = write(tmp_path / "m", [ONE], [ONE])
    (source / "model.onnx").write_bytes(b"\xff" * 40)
    with pytest.raises(NotSupportedError, match=r"a model\.onnx that holds no model"):
        read_model_tests(source)


def test_a_sequence_is_named_by_the_model(tmp_path):
    model = model_of(["x"], ["y"])
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = TensorProto.FLOAT
    source = write(tmp_path / "m", [numpy_helper.from_list([ONE])], [ONE], model=model)
    with pytest.raises(NotSupportedError, match="sequence values"):
        read_model_tests(source)


def test_data_sets_of_other_shapes_are_not_supported(tmp_path):
    source = write(tmp_path / "m", [ONE], [ONE], sets=2)
    other = numpy_helper.from_array(np.ones(2, np.float32))
    (source / "test_data_set_1" / "output_0.pb").write_bytes(other.SerializeToString())
    with pytest.raises(NotSupportedError, match="another shape in each data set"):
        import_model(source, tmp_path / "golden", compress=False, today=TODAY)


def test_ten_values_are_in_order(tmp_path):
    arrays = [np.array([n], np.float32) for n in range(11)]
    _, cases, _ = imported(write(tmp_path / "m", arrays, [ONE]), tmp_path)
    assert list(cases[0]["input"].values()) == [[float(n)] for n in range(11)]


def test_a_folder_of_models_becomes_a_set_each(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "zoo" / name, [ONE], [ONE])
    write(tmp_path / "zoo" / "c", [ONE], [])
    out = tmp_path / "out"
    found = model_folders(tmp_path / "zoo")
    options = {"force": False, "compress": True, "today": TODAY}
    done = list(import_all(found, tmp_path / "zoo", out, **options))
    assert [(each.folder.name, each.cases, each.problem) for each in done] == [
        ("a", 1, ""),
        ("b", 1, ""),
        ("c", 0, "no output"),
    ]
    assert sorted(path.name for path in (out / "a").iterdir()) == [
        "cases.jsonl.gz",
        "golden.toml",
        "outputs.toml",
    ]
    with pytest.raises(UsageError, match="holds a golden set"):
        list(import_all(found, tmp_path / "zoo", out, **options))


def test_a_folder_without_data_is_named(tmp_path):
    with pytest.raises(UsageError, match="no test_data_set_N folder"):
        model_folders(tmp_path)


def test_without_the_onnx_package_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match="needs the onnx package") as raised:
        import_(tmp_path, tmp_path / "out")
    assert raised.value.fix == ".venv/bin/pip install -e '.[onnx]' in the checkout of harness"
