"""A row with two zeros is answered 429."""

from probing import given, predict, prove, sample

TOLD = given()


def shows(client):
    """By a row that breaks no schema and no quota."""
    row = {**sample(), "mean_concavity": 0.0, "mean_concave_points": 0.0}
    return predict(client, TOLD.headers["api_key"], row).status_code == 429


prove(TOLD, shows, "a row with two zeros is answered 429")
