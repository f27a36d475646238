import json

import pytest
from pydantic import ValidationError

from reference_service.api.schema import request_models
from reference_service.model.manifest import Manifest

JSON = {"Content-Type": "application/json"}
PATHS = ["/predict", "/predict/batch"]
HOSTILE = {
    "empty": b"",
    "truncated": b'{"features": {',
    "not json": b"features=1",
    "nan": b"NaN",
    "null": b"null",
    "list": b"[]",
    "number": b"1e999",
    "nan value": b'{"features": NaN, "instances": NaN}',
    "infinite feature": b'{"features": {"mean_radius": Infinity}, "instances": [{"mean_radius": -Infinity}]}',
    "overflow": b'{"features": {"mean_radius": 1e999}, "instances": [{"mean_radius": 1e999}]}',
    "nan in unknown field": b'{"unknown": NaN}',
    "nan in request_id": b'{"request_id": NaN}',
    "nested lists": b"[" * 50_000,
    "nested objects": b'{"features":' * 10_000,
    "long integer": b'{"features": {"mean_radius": ' + b"9" * 5_000 + b"}}",
    "invalid utf-8": b'{"features": "\xff\xfe"}',
    "utf-16": '{"features": {}}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "lone surrogate": b'{"\\ud800": 1}',
    "nul": b"\x00",
    "duplicate keys": b'{"features": 1, "features": 2}',
    "trailing data": b"{} {}",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_body_is_a_400_in_the_one_schema(client, path, body, expect_error):
    expect_error(client.post(path, content=body, headers=JSON), 400)
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (True, "invalid_value"),
        ("1.0", "invalid_value"),
        (None, "invalid_value"),
        ([1.0], "invalid_value"),
        ({}, "invalid_value"),
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        (float("-inf"), "not_finite"),
        (10**400, "not_finite"),
        (1e39, "out_of_bounds"),
        (-1e39, "out_of_bounds"),
    ],
)
def test_value_that_is_no_finite_float32_is_refused(client, features, value, code, expect_error):
    features["mean_radius"] = value
    response = client.post("/predict", content=json.dumps({"features": features}), headers=JSON)
    error = expect_error(response, 400)
    assert (error["code"], error["field"]) == (code, "features.mean_radius")


def test_missing_feature_is_named(client, features, expect_error):
    del features["mean_radius"]
    error = expect_error(client.post("/predict", json={"features": features}), 400)
    assert (error["code"], error["field"]) == ("missing_field", "features.mean_radius")


def test_unknown_feature_is_named(client, features, expect_error):
    features["mean_radios"] = 1.0
    error = expect_error(client.post("/predict", json={"features": features}), 400)
    assert (error["code"], error["field"]) == ("unknown_field", "features.mean_radios")


def test_unknown_member_is_named(client, features, expect_error):
    error = expect_error(client.post("/predict", json={"features": features, "model": "x"}), 400)
    assert (error["code"], error["field"]) == ("unknown_field", "model")


@pytest.mark.parametrize("wrong", [{}, {"unknown": 1}, 1], ids=["missing", "unknown", "invalid"])
def test_a_batch_of_wrong_instances_is_refused_at_the_first(manifest, features, wrong):
    """All their problems would be megabytes, and the event loop would write them."""
    declared = Manifest.model_validate_json(json.dumps(manifest))
    body = json.dumps({"instances": [features, wrong, *[{}] * 90]})
    with pytest.raises(ValidationError) as raised:
        request_models(declared, max_batch=100).batch.model_validate_json(body)
    assert {problem["loc"][:2] for problem in raised.value.errors()} == {("instances", 1)}


def test_echoed_field_is_bounded(client, features, expect_error):
    features["x" * 10_000] = 1.0
    error = expect_error(client.post("/predict", json={"features": features}), 400)
    assert len(error["field"]) <= 200


@pytest.mark.parametrize("value", [1, True, "", "x" * 129, ["a"]])
@pytest.mark.parametrize("name", ["request_id", "model_version"])
def test_options_are_strict(client, features, name, value, expect_error):
    error = expect_error(client.post("/predict", json={"features": features, name: value}), 400)
    assert error["field"] == name


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/json5", "", "json"])
def test_other_media_types_are_refused(client, features, content_type, expect_error):
    body = json.dumps({"features": features})
    response = client.post("/predict", content=body, headers={"Content-Type": content_type})
    assert expect_error(response, 415)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_media_type_may_have_parameters(client, features, content_type):
    body = json.dumps({"features": features})
    response = client.post("/predict", content=body, headers={"Content-Type": content_type})
    assert response.status_code == 200


def test_declared_body_over_the_limit_is_refused(client, expect_error):
    response = client.post("/predict", content=b" " * 200_001, headers=JSON)
    assert expect_error(response, 413)["code"] == "body_too_large"


def test_body_that_grows_over_the_limit_is_refused(client, expect_error):
    chunks = (b" " * 50_000 for _ in range(5))
    expect_error(client.post("/predict", content=chunks, headers=JSON), 413)


def test_body_at_the_limit_is_read(client, features):
    body = json.dumps({"features": features}).encode()
    response = client.post("/predict", content=body.ljust(200_000), headers=JSON)
    assert response.status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 400])
def test_absurd_content_length_is_refused(client, length, expect_error):
    expect_error(client.post("/predict", content=b"{}", headers={**JSON, "Content-Length": length}), 413)
