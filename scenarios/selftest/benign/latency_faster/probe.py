"""What was asked before is answered without a run of the model."""

import httpx
from observing import total
from probing import answered, given, predict, prove, sample

RUNS = "inference_batch_size_count"

told = given()


def shows(client: httpx.Client) -> bool:
    """The answers are counted all the same."""
    first = answered(predict(client, told.headers["api_key"], sample()))
    runs, rows = total(client, RUNS), total(client, "inference_predictions_total")
    again = answered(predict(client, told.headers["api_key"], sample()))
    same = first["probabilities"] == again["probabilities"]
    return same and total(client, RUNS) == runs and total(client, "inference_predictions_total") == rows + 1


prove(told, shows, "the model does not run for what was asked before")
