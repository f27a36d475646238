"""A row far outside the training range is refused, and one within is not."""

from probing import answered, given, predict, prove, sample

TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By a radius of twice the largest that was trained on."""
    answered(predict(client, KEY, sample()))
    return predict(client, KEY, {**sample(), "mean_radius": 60.0}).status_code == 400


prove(TOLD, shows, "a row outside the training range is refused")
