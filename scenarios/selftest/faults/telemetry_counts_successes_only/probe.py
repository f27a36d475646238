"""Its counter does not rise with a request that it refuses, and does with one that it answers."""

import httpx
from observing import total
from probing import answered, given, predict, prove, sample

COUNTER = "http_requests_total"

told = given()


def shows(client: httpx.Client) -> bool:
    """A request without a key is refused."""
    before = total(client, COUNTER, path="/predict")
    refused = client.post("/predict", json={"features": sample()})
    after_refusal = total(client, COUNTER, path="/predict")
    answered(predict(client, told.headers["api_key"], sample()))
    after_answer = total(client, COUNTER, path="/predict")
    return refused.status_code == httpx.codes.UNAUTHORIZED and before == after_refusal < after_answer


prove(told, shows, f"{COUNTER} rises with answers, and not with a refusal")
