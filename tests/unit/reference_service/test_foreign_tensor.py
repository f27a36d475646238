"""An artifact whose input is a tensor, served by the same code as any other."""

import json
import re

import numpy as np
import pytest
from tensor_artifact import encoded, write_tensor_artifact

from reference_service.model.artifact import ArtifactError, load_artifact
from reference_service.model.inference import Model
from reference_service.settings import Settings

BEYOND_DOUBLE = 2**53 + 1
FORMS = [lambda row: row.tolist(), encoded]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def served(tmp_path, manifest, settings, serve):
    """Serves the artifact of a needle in rows of a dtype and shape."""

    def start(*, dtype, row_shape, needle, minimum, maximum):
        folder = write_tensor_artifact(
            tmp_path / "needle",
            manifest,
            dtype=dtype,
            row_shape=row_shape,
            needle=needle,
            minimum=minimum,
            maximum=maximum,
        )
        client = serve(Settings(artifact=folder, api_keys_file=settings.api_keys_file, max_batch=4))
        client.headers["X-API-Key"] = "good-key"
        return client

    return start


@pytest.fixture
def images(served):
    return served(dtype="uint8", row_shape=(1, 3, 5), needle=9, minimum=0, maximum=10)


@pytest.fixture
def integers(served):
    return served(dtype="int64", row_shape=(2,), needle=BEYOND_DOUBLE, minimum=-(2**63), maximum=2**63 - 1)


def image(*values):
    """A row of shape [1, 3, 5] that begins with the values."""
    row = np.zeros(15, dtype=np.uint8)
    row[: len(values)] = values
    return row.reshape(1, 3, 5)


@pytest.mark.parametrize("form", FORMS, ids=["nested", "base64"])
def test_a_tensor_is_answered_in_both_forms(images, form):
    answer = images.post("/predict", json={"instance": form(image(9)), "request_id": "r"})
    assert answer.json() == {
        "label": "needle",
        "probabilities": {"other": 0, "needle": 1},
        "out_of_range": [],
        "model_version": "3.1.0",
        "request_id": "r",
    }


def test_a_batch_mixes_forms_and_keeps_their_order(images):
    instances = [image(9).tolist(), encoded(image(1)), encoded(image(9)), image().tolist()]
    answer = images.post("/predict/batch", json={"instances": instances}).json()
    assert [each["label"] for each in answer["predictions"]] == ["needle", "other", "needle", "other"]


@pytest.mark.parametrize("form", FORMS, ids=["nested", "base64"])
@pytest.mark.parametrize(
    ("value", "label"),
    [(BEYOND_DOUBLE, "needle"), (BEYOND_DOUBLE - 1, "other"), (BEYOND_DOUBLE + 1, "other")],
)
def test_an_integer_beyond_double_precision_stays_exact(integers, form, value, label):
    row = np.array([-(2**63), value], dtype=np.int64)
    assert integers.post("/predict", json={"instance": form(row)}).json()["label"] == label
    batch = integers.post("/predict/batch", json={"instances": [form(row)]}).json()
    assert batch["predictions"][0]["label"] == label


@pytest.mark.parametrize(
    "row", ["[0, 9007199254740993.0]", "[0, 9.007199254740993e15]", "[0, 1.5]", "[0, true]"]
)
def test_an_integer_that_a_double_may_have_rounded_is_refused(integers, row, expect_error):
    body = f'{{"instance": {row}}}'.encode()
    error = expect_error(integers.post("/predict", content=body, headers=JSON), 400)
    assert (error["code"], error["field"]) == ("invalid_value", "instance")


def test_a_row_unlike_those_of_training_is_answered_and_its_summaries_named(images):
    for values, flagged in (([10] * 15, []), ([], []), ([0] * 7 + [10], [])):
        answer = images.post("/predict", json={"instance": image(*values).tolist()}).json()
        assert answer["out_of_range"] == flagged


def test_summaries_outside_the_training_range(served):
    client = served(dtype="int64", row_shape=(2,), needle=3, minimum=-1000, maximum=1000)
    cases = {
        (10, 10): [],
        (11, 11): ["mean"],
        (-1, -1): ["mean"],
        (-15, 15): ["std"],
        (0, 1000): ["mean", "std"],
    }
    for row, flagged in cases.items():
        assert client.post("/predict", json={"instance": list(row)}).json()["out_of_range"] == flagged
    metrics = client.get("/metrics").text
    assert re.search(r'inference_out_of_range_total\{[^}]*feature="mean"[^}]*\} 3\.0', metrics)


@pytest.mark.parametrize(
    ("instance", "code"),
    [
        ([[[0] * 5] * 2], "wrong_shape"),
        ([[0] * 5] * 3, "wrong_shape"),
        ([[[0] * 5, [0] * 5, [0] * 4 + [True]]], "invalid_value"),
        ([[[0] * 5, [0] * 5, [0] * 4 + [11]]], "out_of_bounds"),
        ({"base64": "AAAA"}, "wrong_shape"),
        ({"base64": "!"}, "invalid_base64"),
        ({"base64": "{problem}"}, "invalid_base64"),
        ("AAAA", "wrong_shape"),
        (None, "wrong_shape"),
    ],
)
def test_another_value_is_a_400_that_names_its_place(images, instance, code, expect_error):
    error = expect_error(images.post("/predict", json={"instance": instance}), 400)
    assert (error["code"], error["field"]) == (code, "instance")
    batch = {"instances": [image().tolist(), instance]}
    error = expect_error(images.post("/predict/batch", json=batch), 400)
    assert (error["code"], error["field"]) == (code, "instances.1")


@pytest.mark.parametrize(
    "body", [b'{"instance": NaN}', b'{"instance": [[[1e999]]]}', b'{"instance": ' + b"[" * 50_000]
)
def test_hostile_values_are_refused(images, body, expect_error):
    expect_error(images.post("/predict", content=body, headers=JSON), 400)
    assert images.get("/health").status_code == 200


def test_features_of_another_artifact_are_unknown(images, features, expect_error):
    error = expect_error(images.post("/predict", json={"features": features}), 400)
    assert (error["code"], error["field"]) == ("missing_field", "instance")


def test_the_contract_tells_shape_type_and_range(images):
    schema = images.get("/openapi.json").json()["components"]["schemas"]
    described = schema["PredictRequest"]["properties"]["instance"]
    assert "1 x 3 x 5 values of uint8, 0 to 10" in described["description"]
    nested, base64 = described["oneOf"]
    assert [nested["minItems"], nested["items"]["maxItems"], nested["items"]["items"]["minItems"]] == [
        1,
        3,
        5,
    ]
    assert nested["items"]["items"]["items"] == {"type": "integer", "minimum": 0, "maximum": 10}
    assert base64["properties"]["base64"]["maxLength"] == base64["properties"]["base64"]["minLength"] == 20
    assert schema["BatchRequest"]["properties"]["instances"]["items"] == {
        name: value for name, value in described.items() if name != "title"
    }
    assert schema["Prediction"]["properties"]["out_of_range"]["items"]["enum"] == ["mean", "std"]


@pytest.mark.parametrize(
    ("sample", "message"),
    [({"base64": "AAAA"}, "sample not answered"), ({"x": 1.0}, "base64"), ({"base64": "!"}, "not base64")],
)
def test_a_sample_that_is_no_row_does_not_start(tmp_path, manifest, sample, message):
    folder = write_tensor_artifact(
        tmp_path / "needle", manifest, dtype="int64", row_shape=(2,), needle=1, minimum=0, maximum=1
    )
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert Model(load_artifact(folder), provider="cpu", intra_op_threads=1, observe_run=lambda **_: None)
    content["sample"]["input"] = sample
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ArtifactError, match=message):
        Model(load_artifact(folder), provider="cpu", intra_op_threads=1, observe_run=lambda **_: None)
