"""A prediction for a key with a letter behind it."""

from probing import given, predict, prove, sample

told = given()
LONGER = {name: f"{key}x" for name, key in told.headers["api_key"].items()}


def accepts(client):
    """Whether it passes for the key that it begins with."""
    return predict(client, LONGER, sample()).status_code == 200


prove(told, accepts, "a key with more behind it gets a prediction")
