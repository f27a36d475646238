"""Every probability of malignant is 3e-6 below the golden one."""

from probing import cases, given, golden, prove

BIAS = 3e-6
ROWS = 20
TOLD = given()


def shows(client):
    """By golden cases, each of which is off by as much."""
    asked = golden(client, TOLD.headers["api_key"], cases(ROWS))
    lost = [
        expected["probabilities"]["malignant"] - answer["probabilities"]["malignant"]
        for expected, answer in asked
    ]
    return all(abs(each - BIAS) < 1e-6 for each in lost)


prove(TOLD, shows, "malignant is 3e-6 less probable")
