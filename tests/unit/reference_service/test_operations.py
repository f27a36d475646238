import json

import pytest
from jsonschema import Draft202012Validator

from reference_service.model.inference import Model
from reference_service.prediction import Prediction


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_says_what_is_served(anonymous, manifest, path):
    body = anonymous.get(path).json()
    assert body["status"] == "ok"
    assert body["model_version"] == manifest["version"]
    assert body["execution_provider"] == "CPUExecutionProvider"


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_really_runs_the_sample(fresh, manifest, path, monkeypatch, expect_error):
    expected = manifest["sample"]["expected"]
    monkeypatch.setattr("reference_service.model.health.SHARED_S", 0)
    for label in expected["probabilities"]:
        answer = Prediction(label=label, probabilities=expected["probabilities"], out_of_range=[])
        monkeypatch.setattr(
            "reference_service.model.inference.Model._answer", lambda *_, answer=answer: ([answer], 0.0)
        )
        if label == expected["label"]:
            assert fresh.get(path).status_code == 200
        else:
            assert expect_error(fresh.get(path), 503)["code"] == "model_unhealthy"


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_of_a_model_that_fails(fresh, path, monkeypatch, expect_error):
    def failing(_model, _rows):
        raise RuntimeError("the runtime failed")

    monkeypatch.setattr("reference_service.model.inference.Model._answer", failing)
    assert expect_error(fresh.get(path), 503)["code"] == "model_unhealthy"


def test_asking_for_health_is_not_counted_as_inference(fresh, features):
    def runs():
        lines = fresh.get("/metrics").text.splitlines()
        return [
            float(line.split()[-1])
            for line in lines
            if line.startswith(("inference_duration_seconds_count", "inference_batch_size_count"))
        ]

    assert fresh.get("/health").status_code == fresh.get("/ready").status_code == 200
    assert runs() == [0, 0]
    fresh.post("/predict", json={"features": features}, headers={"X-API-Key": "good-key"})
    assert runs() == [1, 1]


def test_asking_for_health_often_does_not_keep_the_model_busy(fresh, monkeypatch):
    runs = []
    answer = Model._answer
    monkeypatch.setattr("reference_service.model.health.SHARED_S", 60)
    monkeypatch.setattr(Model, "_answer", lambda model, rows: runs.append(rows) or answer(model, rows))
    assert {fresh.get(path).status_code for path in ("/health", "/ready") * 10} == {200}
    assert len(runs) == 1


def test_metadata_is_the_manifest_and_what_runs_the_model(client, manifest):
    assert client.get("/metadata").json() == {
        **manifest,
        "execution_provider": "CPUExecutionProvider",
        "execution_providers": ["CPUExecutionProvider"],
        "nodes_by_provider": {"CPUExecutionProvider": 1},
    }


def test_metadata_names_the_provider_of_the_session(client, manifest, monkeypatch):
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(
        "reference_service.model.inference.Model.execution_providers", property(lambda _: both)
    )
    assert client.get("/metadata").json() == {
        **manifest,
        "execution_provider": "CUDAExecutionProvider",
        "execution_providers": both,
        "nodes_by_provider": {"CPUExecutionProvider": 1},
    }


def test_metrics_carry_the_model_version(fresh, features, manifest):
    fresh.headers["X-API-Key"] = "good-key"
    features["mean_radius"] = 1e6
    fresh.post("/predict/batch", json={"instances": [features] * 3})
    fresh.get("/no/such/path")
    exposition = fresh.get("/metrics")
    assert exposition.headers["content-type"].startswith("text/plain")
    lines = exposition.text.splitlines()
    version = f'model_version="{manifest["version"]}"'
    label = manifest["sample"]["expected"]["label"]
    here = f'deployment_id="default",label="{label}",{version}'
    assert f"inference_predictions_total{{{here}}} 3.0" in lines
    here = f'deployment_id="default",feature="mean_radius",{version}'
    assert f"inference_out_of_range_total{{{here}}} 3.0" in lines
    here = f'deployment_id="default",method="POST",{version},path="/predict/batch",status="200"'
    assert f"http_requests_total{{{here}}} 1.0" in lines
    here = f'deployment_id="default",method="GET",{version},path="other",status="404"'
    assert f"http_requests_total{{{here}}} 1.0" in lines
    here = f'code="not_found",deployment_id="default",{version},path="other"'
    assert f"http_request_errors_total{{{here}}} 1.0" in lines
    assert "/no/such/path" not in exposition.text


@pytest.mark.parametrize(
    ("request_line", "status", "allow"),
    [
        ("GET /", 404, None),
        ("GET /docs", 404, None),
        ("POST /predict/", 404, None),
        ("POST //predict", 404, None),
        ("GET /predict", 405, "POST"),
        ("DELETE /predict/batch", 405, "POST"),
        ("POST /health", 405, "GET"),
        ("OPTIONS /metadata", 405, "GET"),
        ("TRACE /metadata", 405, "GET"),
    ],
)
def test_unknown_path_or_method(client, request_line, status, allow, expect_error):
    response = client.request(*request_line.split())
    expect_error(response, status)
    assert response.headers.get("allow") == allow


def test_unexpected_failure_is_a_500_that_tells_nothing(client, features, monkeypatch, expect_error):
    def broken(_model, _rows):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("reference_service.model.inference.Model.predict", broken)
    response = client.post("/predict", json={"features": features})
    assert expect_error(response, 500)["code"] == "internal_error"
    assert "secret detail" not in response.text


def test_document_tells_every_status_and_header(anonymous, manifest):
    document = anonymous.get("/openapi.json").json()
    predict = document["paths"]["/predict"]["post"]
    assert predict["responses"].keys() == {
        *("200", "400", "401", "403", "408", "409", "413", "415", "429", "500", "503"),
    }
    assert predict["security"] == [{"ApiKey": []}, {"BearerJWT": []}]
    assert predict["responses"]["429"]["headers"].keys() >= {"Retry-After", "X-RateLimit-Remaining"}
    assert "Retry-After" in predict["responses"]["503"]["headers"]
    assert "WWW-Authenticate" in predict["responses"]["401"]["headers"]
    for path in ("/health", "/ready"):
        assert "503" in document["paths"][path]["get"]["responses"]
    features = document["components"]["schemas"]["Features"]
    names = [feature["name"] for feature in manifest["input"]["features"]]
    assert list(features["properties"]) == names
    assert features["required"] == names
    for name in ("Features", "PredictRequest", "BatchRequest"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False
    assert document["components"]["schemas"]["BatchRequest"]["properties"]["instances"]["maxItems"] == 100


@pytest.mark.parametrize("name", ["Prediction", "PredictResponse"])
def test_document_names_classes_and_features_of_an_answer(anonymous, manifest, name):
    properties = anonymous.get("/openapi.json").json()["components"]["schemas"][name]["properties"]
    classes = manifest["outputs"]["probabilities"]["classes"]
    assert properties["label"]["enum"] == classes
    probabilities = properties["probabilities"]
    assert list(probabilities["properties"]) == probabilities["required"] == classes
    assert probabilities["additionalProperties"] is False
    assert all((p["minimum"], p["maximum"]) == (0, 1) for p in probabilities["properties"].values())
    names = [feature["name"] for feature in manifest["input"]["features"]]
    assert properties["out_of_range"]["items"]["enum"] == names


def test_answers_follow_the_document(client, features, manifest):
    document = client.get("/openapi.json").json()
    features["mean_radius"] = 1e6
    answers = {
        "PredictResponse": client.post("/predict", json={"features": features}).json(),
        "BatchResponse": client.post("/predict/batch", json={"instances": [features] * 2}).json(),
    }
    assert answers["PredictResponse"]["out_of_range"] == ["mean_radius"]
    for name, answer in answers.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        validator = Draft202012Validator(schema)
        assert validator.is_valid(answer)
        text = json.dumps(answer)
        for wrong in (
            text.replace(manifest["sample"]["expected"]["label"], "other"),
            text.replace("mean_radius", "mean_radios"),
        ):
            assert not validator.is_valid(json.loads(wrong))


def test_every_reference_of_the_document_resolves(anonymous):
    text = anonymous.get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    referenced = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referenced <= schemas.keys()
    assert "HTTPValidationError" not in schemas
