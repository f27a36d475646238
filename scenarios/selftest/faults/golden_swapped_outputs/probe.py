"""Each class has the probability that the other should have, under the right label."""

from probing import cases, given, golden, prove

ROWS = 20
TOLD = given()


def shows(client):
    """By golden cases."""
    return all(
        answer["label"] == expected["label"]
        and abs(answer["probabilities"]["benign"] - expected["probabilities"]["malignant"]) < 1e-5
        and abs(answer["probabilities"]["malignant"] - expected["probabilities"]["benign"]) < 1e-5
        for expected, answer in golden(client, TOLD.headers["api_key"], cases(ROWS))
    )


prove(TOLD, shows, "the probabilities of the classes are swapped")
