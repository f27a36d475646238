"""A prediction for a token that was issued for another service."""

from forging import bearer_of
from probing import given, predict, prove, sample

told = given()


def accepts(client):
    """Whether it is one here too."""
    return predict(client, bearer_of(told.tokens["of_another_service"]), sample()).status_code == 200


prove(told, accepts, "a token for another service gets a prediction")
