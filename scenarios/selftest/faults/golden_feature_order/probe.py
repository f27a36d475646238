"""A row whose values are arranged so that sorting by name puts them right, gets the golden answer."""

from probing import answered, cases, given, predict, prove

ROWS = 20
TOLD = given()
KEY = TOLD.headers["api_key"]


def arranged(row):
    """The values in their order, under the names in alphabetical order."""
    return dict(zip(sorted(row), row.values(), strict=True))


def shows(client):
    """By golden cases; golden inputs have the order of the manifest."""
    return all(
        abs(
            answered(predict(client, KEY, arranged(case["input"])))["probabilities"]["malignant"]
            - case["expected"]["probabilities"]["malignant"]
        )
        < 1e-5
        for case in cases(ROWS)
    )


prove(TOLD, shows, "the model gets its features sorted by name")
