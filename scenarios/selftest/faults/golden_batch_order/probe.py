"""A batch comes back sorted by label."""

from probing import answered, cases, given, predict_batch, prove

ROWS = 40
TOLD = given()


def shows(client):
    """By golden cases, whose labels are in no order."""
    asked = cases(ROWS)
    expected = [case["expected"]["label"] for case in asked]
    batch = predict_batch(client, TOLD.headers["api_key"], [case["input"] for case in asked])
    labels = [each["label"] for each in answered(batch)["predictions"]]
    return labels == sorted(expected) != expected


prove(TOLD, shows, "a batch is sorted by label")
