"""Under a new version, golden cases get other answers than the released model gave."""

from probing import answered, cases, given, golden, prove

RELEASED = "1.0.0"
ROWS = 40
TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By version and answers."""
    version = answered(client.get("/metadata", headers=KEY))["version"]
    off = [
        abs(answer["probabilities"]["malignant"] - expected["probabilities"]["malignant"])
        for expected, answer in golden(client, KEY, cases(ROWS))
    ]
    return version != RELEASED and max(off) > 1e-4


prove(TOLD, shows, "a new version answers as no released model does")
