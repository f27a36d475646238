"""A batch names another model version than a single prediction."""

from probing import answered, given, predict, predict_batch, prove, sample

TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By one row, asked in both ways."""
    single = answered(predict(client, KEY, sample()))
    return answered(predict_batch(client, KEY, [sample()]))["model_version"] != single["model_version"]


prove(TOLD, shows, "a batch and a single prediction name different versions")
