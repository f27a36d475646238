"""A prediction for the key that was revoked."""

from probing import given, predict, prove, sample

told = given()


def accepts(client):
    """Whether it is still a key."""
    return predict(client, told.headers["revoked_key"], sample()).status_code == 200


prove(told, accepts, "a revoked key gets a prediction")
