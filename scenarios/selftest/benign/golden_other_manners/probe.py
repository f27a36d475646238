"""Its answers have a header more and their keys in another order, and a refusal has other words."""

import json

import httpx
from probing import given, predict, prove, sample

told = given()


def shows(client: httpx.Client) -> bool:
    """A body without features is refused by its schema."""
    answer = predict(client, told.headers["api_key"], sample())
    refusal = client.post("/predict", headers=told.headers["api_key"], json={})
    turned = next(iter(json.loads(answer.text))) == "request_id"
    polite = refusal.json()["error"]["message"].startswith("Sorry: ")
    return "X-Served-By" in answer.headers and turned and polite


prove(told, shows, "answers have another header and order of keys, and refusals other words")
