"""Rows are called malignant that are more probably benign."""

from probing import cases, given, golden, prove

TOLD = given()
CLOSE = [case for case in cases() if 0.2 < case["expected"]["probabilities"]["malignant"] < 0.5]


def shows(client):
    """By the golden cases between the two thresholds."""
    asked = golden(client, TOLD.headers["api_key"], CLOSE)
    return bool(asked) and all(
        answer["label"] == "malignant" and answer["probabilities"]["malignant"] < 0.5 for _, answer in asked
    )


prove(TOLD, shows, "a row is malignant from 0.2 on")
