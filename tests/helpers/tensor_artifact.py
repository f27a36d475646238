"""A small artifact with a tensor input of any rank: it tells whether a row's greatest value is the needle."""

import base64
import hashlib
import json

import numpy as np
from onnx import TensorProto, helper

ELEMENT = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "int64": TensorProto.INT64}
LITTLE_ENDIAN = {"float32": "<f4", "uint8": "u1", "int64": "<i8"}
CLASSES = ["other", "needle"]


def needle_model(dtype, row_shape, needle):
    """Answer `needle` where the greatest value of the row equals it, exactly in the model's own dtype."""
    element = ELEMENT[dtype]
    constants = [
        helper.make_tensor("needle", element, [], [needle]),
        helper.make_tensor("axes", TensorProto.INT64, [len(row_shape)], list(range(1, len(row_shape) + 1))),
        helper.make_tensor("classes", TensorProto.STRING, [2], [name.encode() for name in CLASSES]),
        helper.make_tensor("rows", TensorProto.FLOAT, [2, 2], [1, 0, 0, 1]),
    ]
    nodes = [
        helper.make_node("ReduceMax", ["cube", "axes"], ["greatest"], keepdims=0),
        helper.make_node("Equal", ["greatest", "needle"], ["found"]),
        helper.make_node("Cast", ["found"], ["class"], to=TensorProto.INT64),
        helper.make_node("Gather", ["classes", "class"], ["label"]),
        helper.make_node("Gather", ["rows", "class"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "needle",
        [helper.make_tensor_value_info("cube", element, [None, *row_shape])],
        [
            helper.make_tensor_value_info("label", TensorProto.STRING, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        constants,
    )
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def encoded(row):
    """A row of a numpy array as a request carries it."""
    raw = np.ascontiguousarray(row, dtype=LITTLE_ENDIAN[row.dtype.name]).tobytes()
    return {"base64": base64.b64encode(raw).decode()}


def write_tensor_artifact(folder, manifest, *, dtype, row_shape, needle, minimum, maximum):
    """Write the model and its manifest, the rest of it taken from another manifest; return the folder."""
    model = needle_model(dtype, row_shape, needle)
    changed = {
        **manifest,
        "name": "needle",
        "version": "3.1.0",
        "model_file": "needle.onnx",
        "baseline_file": None,
        "files": {"needle.onnx": hashlib.sha256(model).hexdigest()},
        "input": {
            "kind": "tensor",
            "name": "cube",
            "dtype": dtype,
            "shape": ["batch", *row_shape],
            "minimum": minimum,
            "maximum": maximum,
            "meaning": "a haystack",
            "unit": "1",
            "summaries": [
                {"name": name, "meaning": name, "unit": "1", "training_min": 0, "training_max": 10}
                for name in ("mean", "std")
            ],
        },
        "outputs": {
            "label": manifest["outputs"]["label"],
            "probabilities": {**manifest["outputs"]["probabilities"], "classes": CLASSES},
        },
        "sample": {
            "input": encoded(np.full(row_shape, needle, dtype=dtype)),
            "expected": {"label": "needle", "probabilities": {"other": 0, "needle": 1}},
            "atol": 1e-6,
        },
    }
    folder.mkdir()
    (folder / "needle.onnx").write_bytes(model)
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    return folder
