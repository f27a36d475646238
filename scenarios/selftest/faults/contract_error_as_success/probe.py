"""A version that is not served is refused by the body of a 200."""

from probing import given, predict, prove, sample

TOLD = given()


def shows(client):
    """By a version that never was."""
    asked = predict(client, TOLD.headers["api_key"], sample(), model_version="0.0.0-never-released")
    return asked.status_code == 200 and "error" in asked.json()


prove(TOLD, shows, "an error has the status 200")
