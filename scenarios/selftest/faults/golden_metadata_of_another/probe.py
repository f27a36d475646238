"""Metadata has the classes in another order than the answers have them."""

from probing import answered, given, predict, prove, sample

TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By both."""
    told = answered(client.get("/metadata", headers=KEY))["outputs"]["probabilities"]["classes"]
    return told == list(reversed(answered(predict(client, KEY, sample()))["probabilities"]))


prove(TOLD, shows, "metadata has the classes in reverse order")
