"""The answer to a row within range has no ``out_of_range``, that to one outside has it."""

from probing import answered, given, predict, prove, samples

TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By a golden row, as it is and with a radius that no row had."""
    inside = samples(2)[1]
    outside = {**inside, "mean_radius": 60.0}
    return "out_of_range" not in answered(predict(client, KEY, inside)) and "out_of_range" in answered(
        predict(client, KEY, outside)
    )


prove(TOLD, shows, "an empty list is left out")
