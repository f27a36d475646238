"""A request with a member that nobody knows is answered."""

from probing import given, predict, prove, sample

TOLD = given()


def shows(client):
    """By one such member."""
    return predict(client, TOLD.headers["api_key"], sample(), treshold=0.9).is_success


prove(TOLD, shows, "an unknown member is accepted")
