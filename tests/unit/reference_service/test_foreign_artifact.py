"""An artifact of another domain, with awkward names, served by the same code."""

import hashlib
import json
import math

import pytest
from onnx import TensorProto, helper

from reference_service.settings import Settings

NAMES = ["model_dump", "größe [µm]"]


def stump():
    """One split on the first feature at 0.5: `no` (3 to 1) at or below, `yes` (7 to 1) above."""
    node = helper.make_node(
        "TreeEnsembleClassifier",
        ["x"],
        ["answer", "scores"],
        domain="ai.onnx.ml",
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        class_treeids=[0, 0],
        class_nodeids=[1, 2],
        class_ids=[0, 0],
        class_weights=[-math.log(3), math.log(7)],
        classlabels_strings=["no", "yes"],
        post_transform="LOGISTIC",
    )
    graph = helper.make_graph(
        [node],
        "stump",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [
            helper.make_tensor_value_info("answer", TensorProto.STRING, [None]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2]),
        ],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def softmax():
    """Probabilities alone: of the same values they are equal."""
    graph = helper.make_graph(
        [helper.make_node("Softmax", ["x"], ["scores"], axis=1)],
        "softmax",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2])],
    )
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@pytest.fixture
def serve_foreign(tmp_path, manifest, settings, serve):
    """Serves the artifact that a model and what its sample is answered make; gives a client."""

    def start(model, *, label, expected):
        folder = written(tmp_path / "foreign", manifest, model, label=label, expected=expected)
        client = serve(Settings(artifact=folder, api_keys_file=settings.api_keys_file))
        client.headers["X-API-Key"] = "good-key"
        return client

    return start


def written(folder, manifest, model, *, label, expected):
    changed = {
        **manifest,
        "name": "stump",
        "version": "2.0.0-rc.1",
        "model_file": "stump.onnx",
        "baseline_file": None,
        "files": {"stump.onnx": hashlib.sha256(model).hexdigest()},
        "input": {
            "kind": "features",
            "name": "x",
            "dtype": "float32",
            "shape": ["batch", 2],
            "features": [
                {"name": name, "meaning": "m", "unit": "u", "training_min": 0, "training_max": 1}
                for name in NAMES
            ],
        },
        "outputs": {
            "label": label and {**manifest["outputs"]["label"], "name": label},
            "probabilities": {
                **manifest["outputs"]["probabilities"],
                "name": "scores",
                "classes": ["no", "yes"],
            },
        },
        "sample": {
            "input": dict.fromkeys(NAMES, 1.0),
            "expected": expected,
            "atol": 1e-6,
        },
    }
    folder.mkdir()
    (folder / "stump.onnx").write_bytes(model)
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    return folder


@pytest.fixture
def foreign(serve_foreign):
    expected = {"label": "yes", "probabilities": {"no": 0.125, "yes": 0.875}}
    return serve_foreign(stump(), label="answer", expected=expected)


def test_without_a_label_of_its_own_the_first_of_the_largest_probabilities_labels(serve_foreign):
    expected = {"label": "no", "probabilities": {"no": 0.5, "yes": 0.5}}
    client = serve_foreign(softmax(), label=None, expected=expected)
    rows = [dict(zip(NAMES, values, strict=True)) for values in [(0, 0), (1, 0), (0, 1), (1, 1)]]
    answers = client.post("/predict/batch", json={"instances": rows}).json()["predictions"]
    assert [answer["label"] for answer in answers] == ["no", "no", "yes", "no"]


def test_foreign_artifact_is_served_by_its_manifest(foreign):
    answer = foreign.post("/predict", json={"features": {NAMES[0]: 0.5, NAMES[1]: -1}, "request_id": "r"})
    assert answer.json() == {
        "label": "no",
        "probabilities": {"no": pytest.approx(0.75), "yes": pytest.approx(0.25)},
        "out_of_range": [NAMES[1]],
        "model_version": "2.0.0-rc.1",
        "request_id": "r",
    }


def test_foreign_names_are_required_and_documented(foreign, expect_error):
    error = expect_error(foreign.post("/predict", json={"features": {NAMES[0]: 1}}), 400)
    assert error["field"] == f"features.{NAMES[1]}"
    schema = foreign.get("/openapi.json").json()["components"]["schemas"]["Features"]
    assert schema["required"] == NAMES
