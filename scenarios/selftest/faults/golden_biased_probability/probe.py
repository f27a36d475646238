"""The predicted class has 1e-3 less than the golden value."""

from probing import cases, given, golden, prove

BIAS = 1e-3
ROWS = 20
TOLD = given()


def shows(client):
    """By golden cases."""
    asked = golden(client, TOLD.headers["api_key"], cases(ROWS))
    lost = [
        expected["probabilities"][expected["label"]] - answer["probabilities"][expected["label"]]
        for expected, answer in asked
    ]
    return all(abs(each - BIAS) < 1e-5 for each in lost)


prove(TOLD, shows, "the predicted class is 1e-3 less probable")
