import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[3] / "golden" / "breast-cancer"
CASES = [json.loads(line) for line in (GOLDEN / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


def differences(expected, answered):
    return [abs(answered[name] - value) for name, value in expected.items()]


def test_every_golden_row_is_answered_as_the_training_pipeline_does(client):
    worst = 0.0
    for start in range(0, len(CASES), 100):
        cases = CASES[start : start + 100]
        response = client.post("/predict/batch", json={"instances": [case["input"] for case in cases]})
        answers = response.json()["predictions"]
        assert len(answers) == len(cases)
        for case, answer in zip(cases, answers, strict=True):
            assert answer["label"] == case["expected"]["label"]
            assert answer["probabilities"].keys() == case["expected"]["probabilities"].keys()
            worst = max(worst, *differences(case["expected"]["probabilities"], answer["probabilities"]))
    assert len(CASES) == 569
    assert worst <= 1e-5


def test_single_and_batch_agree(client, features):
    single = client.post("/predict", json={"features": features}).json()
    batch = client.post("/predict/batch", json={"instances": [features, features]}).json()
    for prediction in batch["predictions"]:
        assert prediction == {name: single[name] for name in ("label", "probabilities", "out_of_range")}


def test_answer_says_who_answered_what(client, features, manifest):
    body = {"features": features, "request_id": "mine", "model_version": manifest["version"]}
    answer = client.post("/predict", json=body).json()
    assert answer.keys() == {"label", "probabilities", "out_of_range", "model_version", "request_id"}
    assert answer["request_id"] == "mine"
    assert answer["model_version"] == manifest["version"]
    assert answer["label"] == manifest["sample"]["expected"]["label"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)


def test_order_of_features_does_not_matter(client, features):
    backwards = dict(reversed(features.items()))
    answers = [client.post("/predict", json={"features": given}).json() for given in (features, backwards)]
    assert answers[0]["probabilities"] == answers[1]["probabilities"]


def test_request_id_is_taken_from_the_header_or_made(client, features):
    given = client.post("/predict", json={"features": features}, headers={"X-Request-ID": "trace-1"})
    assert given.json()["request_id"] == given.headers["x-request-id"] == "trace-1"
    made = [client.post("/predict", json={"features": features}).json()["request_id"] for _ in range(2)]
    assert made[0]
    assert made[0] != made[1]
    hostile = client.post("/predict", json={"features": features}, headers={"X-Request-ID": "a b\t<>"})
    assert hostile.json()["request_id"] != "a b\t<>"


def test_value_outside_the_training_range_is_answered_and_flagged(client, features, manifest):
    assert client.post("/predict", json={"features": features}).json()["out_of_range"] == []
    first, second = manifest["input"]["features"][:2]
    features[first["name"]] = first["training_max"] * 2
    features[second["name"]] = second["training_min"] - 1
    answer = client.post("/predict", json={"features": features})
    assert answer.status_code == 200
    assert answer.json()["out_of_range"] == [first["name"], second["name"]]


def test_ends_of_the_training_range_are_inside_as_doubles_and_as_float32(client, features, manifest):
    for feature in manifest["input"]["features"]:
        for end in (feature["training_min"], feature["training_max"]):
            shortest = float(f"{end:.7g}")  # what a client that knows the decimal value sends
            answer = client.post("/predict", json={"features": {**features, feature["name"]: shortest}})
            assert answer.json()["out_of_range"] == []


@pytest.mark.parametrize("value", [0, -0.0, 1, 5e-324, 1e-40, 3.4028234663852886e38, -3.4028234663852886e38])
def test_every_finite_float32_is_answered(client, features, value):
    features["mean_radius"] = value
    assert client.post("/predict", json={"features": features}).status_code == 200


def test_other_model_version_is_refused(client, features, expect_error):
    for path, body in (("/predict", {"features": features}), ("/predict/batch", {"instances": [features]})):
        error = expect_error(client.post(path, json={**body, "model_version": "9.9.9"}), 409)
        assert (error["code"], error["field"]) == ("model_version_mismatch", "model_version")


def test_batch_size_has_limits(client, features, expect_error):
    assert client.post("/predict/batch", json={"instances": [features] * 100}).status_code == 200
    error = expect_error(client.post("/predict/batch", json={"instances": [features] * 101}), 400)
    assert (error["code"], error["field"]) == ("too_many_items", "instances")
    error = expect_error(client.post("/predict/batch", json={"instances": []}), 400)
    assert error["code"] == "too_few_items"


def test_one_bad_instance_is_named(client, features, expect_error):
    bad = {**features, "mean_radius": "1"}
    error = expect_error(client.post("/predict/batch", json={"instances": [features, bad]}), 400)
    assert error["field"] == "instances.1.mean_radius"
