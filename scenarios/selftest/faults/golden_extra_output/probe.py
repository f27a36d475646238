"""An answer has a confidence."""

from probing import answered, given, predict, prove, sample

TOLD = given()


def shows(client):
    """By its members."""
    return "confidence" in answered(predict(client, TOLD.headers["api_key"], sample()))


prove(TOLD, shows, "an answer has a confidence")
