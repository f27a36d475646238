"""A model whose tensors are not those of its manifest is refused, whatever it would answer."""

import hashlib
import json

import pytest
from onnx import TensorProto, helper

from reference_service.model.artifact import ArtifactError, load_artifact
from reference_service.model.inference import Model


def constant_model(
    *,
    dtype=TensorProto.FLOAT,
    width=30,
    batch=None,
    label=TensorProto.STRING,
    label_shape=(None,),
    scores=TensorProto.FLOAT,
    columns=2,
    extra=False,
):
    """Answers each row with the first class, in tensors as it is told to declare them."""
    inputs = [helper.make_tensor_value_info("features", dtype, [batch, width])]
    if extra:
        inputs.append(helper.make_tensor_value_info("other", dtype, [None]))
    labels = [b"benign"] if label == TensorProto.STRING else [0]
    row = [1.0] + [0.0] * (columns - 1)
    constants = [
        helper.make_tensor("one_label", label, [1], labels),
        helper.make_tensor("one_row", scores, [1, columns], row),
        helper.make_tensor("label_rest", TensorProto.INT64, [len(label_shape) - 1], label_shape[1:]),
        helper.make_tensor("columns", TensorProto.INT64, [1], [columns]),
    ]
    nodes = [
        helper.make_node("Shape", ["features"], ["rows"], start=0, end=1),
        helper.make_node("Concat", ["rows", "label_rest"], ["label_size"], axis=0),
        helper.make_node("Expand", ["one_label", "label_size"], ["label"]),
        helper.make_node("Concat", ["rows", "columns"], ["size"], axis=0),
        helper.make_node("Expand", ["one_row", "size"], ["probabilities"]),
    ]
    outputs = [
        helper.make_tensor_value_info("label", label, list(label_shape)),
        helper.make_tensor_value_info("probabilities", scores, [None, columns]),
    ]
    graph = helper.make_graph(nodes, "constant", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@pytest.fixture
def start(tmp_path, manifest):
    def load(model):
        changed = json.loads(json.dumps(manifest))
        changed["baseline_file"] = None
        changed["files"] = {"model.onnx": hashlib.sha256(model).hexdigest()}
        changed["sample"]["expected"] = {"label": "benign", "probabilities": {"benign": 1, "malignant": 0}}
        (tmp_path / "model.onnx").write_bytes(model)
        (tmp_path / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
        return Model(
            load_artifact(tmp_path), provider="cpu", intra_op_threads=1, observe_run=lambda **_: None
        )

    return load


@pytest.mark.parametrize("batch", [None, "rows"])
def test_tensors_of_the_manifest(start, batch):
    assert start(constant_model(batch=batch)).manifest.name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": TensorProto.DOUBLE}, r"features is tensor\(double\)"),
        ({"width": 29}, r"features is .* 29"),
        ({"width": None}, r"features is "),
        ({"batch": 1}, r"features is .*\[1, 30\]"),
        ({"extra": True}, "other"),
        ({"label": TensorProto.INT64}, r"label is tensor\(int64\)"),
        ({"label_shape": (None, 1)}, r"label is .* the manifest says string"),
        ({"scores": TensorProto.DOUBLE}, r"probabilities is tensor\(double\)"),
        ({"columns": 3}, r"probabilities is .* 3"),
    ],
    ids=[
        *("input dtype", "fewer features", "unknown number of features", "fixed batch", "second input"),
        *("label dtype", "label shape", "probability dtype", "more classes"),
    ],
)
def test_other_tensors_are_refused(start, changes, message):
    with pytest.raises(ArtifactError, match=message):
        start(constant_model(**changes))
