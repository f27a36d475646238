"""A text and a boolean are taken for numbers."""

from probing import answered, given, predict, prove, sample

TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By the answers to the numbers that they stand for."""
    row = {**sample(), "mean_concavity": 1.0}
    number = answered(predict(client, KEY, row))
    for other in ({"mean_concavity": True}, {"mean_radius": str(row["mean_radius"])}):
        asked = predict(client, KEY, row | other)
        if not asked.is_success or asked.json()["probabilities"] != number["probabilities"]:
            return False
    return True


prove(TOLD, shows, "a text and a boolean are taken for numbers")
