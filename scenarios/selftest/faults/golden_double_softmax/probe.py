"""An answer is the softmax of the golden probabilities."""

import math

from probing import cases, given, golden, prove

ROWS = 20
TOLD = given()


def softmax(probabilities):
    """That of malignant, of two classes."""
    return 1 / (1 + math.exp(probabilities["benign"] - probabilities["malignant"]))


def shows(client):
    """By golden cases."""
    return all(
        abs(answer["probabilities"]["malignant"] - softmax(expected["probabilities"])) < 1e-5
        for expected, answer in golden(client, TOLD.headers["api_key"], cases(ROWS))
    )


prove(TOLD, shows, "an answer is the softmax of the golden one")
