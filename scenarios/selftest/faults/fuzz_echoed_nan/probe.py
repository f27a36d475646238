"""NaN is answered 500."""

import json

from probing import given, prove, sample

TOLD = given()
BODY = json.dumps({"features": {**sample(), "mean_radius": float("nan")}})


def shows(client):
    """By a body with the word NaN for a number, which is none of JSON."""
    headers = {**TOLD.headers["api_key"], "Content-Type": "application/json"}
    return client.post("/predict", headers=headers, content=BODY).status_code == 500


prove(TOLD, shows, "NaN is answered 500")
