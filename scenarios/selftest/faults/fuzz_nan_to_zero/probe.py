"""NaN is answered as 0 is."""

import json

from probing import answered, given, predict, prove, sample

TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By the same row with both."""
    body = json.dumps({"features": {**sample(), "mean_radius": float("nan")}})
    asked = client.post("/predict", headers={**KEY, "Content-Type": "application/json"}, content=body)
    zero = answered(predict(client, KEY, {**sample(), "mean_radius": 0.0}))
    return asked.is_success and asked.json()["probabilities"] == zero["probabilities"]


prove(TOLD, shows, "NaN is answered as 0 is")
