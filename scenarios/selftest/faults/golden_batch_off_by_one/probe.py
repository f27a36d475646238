"""Each row of a batch has what the next row is answered by itself."""

from probing import answered, cases, given, golden, predict_batch, prove

ROWS = 24
TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By golden cases, asked singly and together."""
    asked = cases(ROWS)
    alone = [answer["probabilities"] for _, answer in golden(client, KEY, asked)]
    batch = answered(predict_batch(client, KEY, [case["input"] for case in asked]))
    together = [each["probabilities"] for each in batch["predictions"]]
    return together == [*alone[1:], alone[0]] != alone


prove(TOLD, shows, "a row of a batch has the answer of the next")
