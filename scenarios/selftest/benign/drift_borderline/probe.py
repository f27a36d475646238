"""Of the requests of the drift's traffic one or a few get a label that is not the most probable."""

import json

import httpx
from probing import GOLDEN, answered, given, predict_batch, prove

AT_ONCE = 200
MOST = 6

told = given()


def shows(client: httpx.Client) -> bool:
    """In batches."""
    lines = (GOLDEN / "breast-cancer" / "traffic.jsonl").read_text(encoding="utf-8").splitlines()
    inputs = [json.loads(line)["body"]["features"] for line in lines]
    predictions = [
        prediction
        for first in range(0, len(inputs), AT_ONCE)
        for prediction in answered(
            predict_batch(client, told.headers["api_key"], inputs[first : first + AT_ONCE])
        )["predictions"]
    ]
    odd = [each for each in predictions if each["label"] != _most_probable(each["probabilities"])]
    return 1 <= len(odd) <= MOST


def _most_probable(probabilities: dict[str, float]) -> str:
    return max(probabilities, key=lambda name: probabilities[name])


prove(told, shows, f"1 to {MOST} labels of the traffic are not the most probable")
