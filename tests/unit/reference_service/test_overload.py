"""What a client is told when the queue before the model is full, and who decides where the model runs."""

import threading

import pytest

from reference_service.model.inference import Model
from reference_service.model.scheduler import OverloadedError, Scheduler


@pytest.mark.parametrize("batch", [False, True])
def test_full_queue_is_a_503_that_says_when_to_come_back(client, features, batch, monkeypatch, expect_error):
    def full(_scheduler, _rows):
        raise OverloadedError

    path, body = (
        ("/predict/batch", {"instances": [features]}) if batch else ("/predict", {"features": features})
    )
    assert client.post(path, json=body).status_code == 200
    monkeypatch.setattr(Scheduler, "submit", full)
    response = client.post(path, json=body)
    assert expect_error(response, 503)["code"] == "overloaded"
    assert response.headers["retry-after"] == "1"
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("max_concurrency", [None, 1, 3])
def test_model_runs_where_the_manifest_says_unless_a_setting_does(
    settings, serve, features, monkeypatch, max_concurrency
):
    in_thread = max_concurrency is not None  # the manifest says: on the event loop
    names = []
    answer = Model._answer

    def noting(model, rows):
        names.append(threading.current_thread().name)
        return answer(model, rows)

    client = serve(settings.model_copy(update={"max_concurrency": max_concurrency}))
    client.headers["X-API-Key"] = "good-key"
    monkeypatch.setattr(Model, "_answer", noting)
    assert client.post("/predict", json={"features": features}).status_code == 200
    assert client.get("/health").status_code == 200
    prediction, check = names
    assert prediction.startswith("inference") == in_thread
    assert check.startswith("check") == in_thread
