"""No probability has more than four decimals."""

from probing import cases, given, golden, prove

ROWS = 20
TOLD = given()


def shows(client):
    """By golden cases, whose values have more."""
    return all(
        value == round(value, 4)
        for _, answer in golden(client, TOLD.headers["api_key"], cases(ROWS))
        for value in answer["probabilities"].values()
    )


prove(TOLD, shows, "probabilities have four decimals")
