"""A negative value is answered 500."""

from probing import given, predict, prove, sample

TOLD = given()


def shows(client):
    """By one value."""
    return predict(client, TOLD.headers["api_key"], {**sample(), "mean_texture": -1.0}).status_code == 500


prove(TOLD, shows, "a negative value is answered 500")
