"""Every probability of malignant is 0.008 above the golden one."""

from probing import cases, given, golden, prove

OFFSET = 0.008
MOST = 10
TOLD = given()
BETWEEN = [case for case in cases() if 0.01 < case["expected"]["probabilities"]["malignant"] < 0.99][:MOST]


def shows(client):
    """By golden cases that are not at an end of the range."""
    asked = golden(client, TOLD.headers["api_key"], BETWEEN)
    lifted = [
        answer["probabilities"]["malignant"] - expected["probabilities"]["malignant"]
        for expected, answer in asked
    ]
    return bool(lifted) and all(abs(each - OFFSET) < 1e-4 for each in lifted)


prove(TOLD, shows, "malignant is 0.008 too probable")
