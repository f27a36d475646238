"""The counter of predictions, before and after a request that is refused."""

from observing import total
from probing import given, predict, prove, sample

COUNTER = "inference_predictions_total"
told = given()


def infers(client):
    """Whether the model ran for nobody."""
    before = total(client, COUNTER)
    refused = predict(client, {}, sample()).status_code == 401
    return refused and total(client, COUNTER) > before


prove(told, infers, "a request that is answered 401 runs the model")
