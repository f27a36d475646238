"""A prediction for a token that expired an hour ago."""

from forging import bearer_of
from probing import given, predict, prove, sample

told = given()


def accepts(client):
    """Whether it is still one."""
    return predict(client, bearer_of(told.tokens["expired_an_hour_ago"]), sample()).status_code == 200


prove(told, accepts, "a token that expired an hour ago gets a prediction")
