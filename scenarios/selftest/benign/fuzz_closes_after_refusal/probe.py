"""A refusal closes the connection, and says so, in other words; a prediction keeps it."""

import httpx
from probing import given, predict, prove, sample

told = given()


def shows(client: httpx.Client) -> bool:
    """A request without a key is refused."""
    refused = client.post("/predict", json={"features": sample()})
    kept = predict(client, told.headers["api_key"], sample())
    closes = refused.headers.get("connection", "").lower() == "close"
    polite = refused.json()["error"]["message"].startswith("Sorry: ")
    return closes and polite and kept.headers.get("connection", "").lower() != "close"


prove(told, shows, "refusals close the connection, with other words")
