"""A close case is called benign though malignant is more probable."""

from probing import cases, given, golden, prove

TOLD = given()
CLOSE = [case for case in cases() if 0.5 < case["expected"]["probabilities"]["malignant"] < 0.545]


def shows(client):
    """By golden cases that round to one half."""
    asked = golden(client, TOLD.headers["api_key"], CLOSE)
    return bool(asked) and all(
        answer["label"] == "benign" and answer["probabilities"]["malignant"] > 0.5 for _, answer in asked
    )


prove(TOLD, shows, "a close case gets the label of the rounded probabilities")
