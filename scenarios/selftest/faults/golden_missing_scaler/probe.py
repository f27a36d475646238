"""Values that are well within the training range are flagged as outside of it."""

from probing import answered, given, predict, prove, sample

LARGE = {"mean_radius", "mean_perimeter", "mean_area", "worst_radius", "worst_perimeter", "worst_area"}
TOLD = given()


def shows(client):
    """By the features of which the training range is wide."""
    return set(answered(predict(client, TOLD.headers["api_key"], sample()))["out_of_range"]) >= LARGE


prove(TOLD, shows, "golden values are far outside the training range")
