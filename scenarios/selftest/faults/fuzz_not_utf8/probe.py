"""A body that is not UTF-8 is answered 500."""

from probing import given, prove

TOLD = given()


def shows(client):
    """By two bytes that no text has."""
    headers = {**TOLD.headers["api_key"], "Content-Type": "application/json"}
    return client.post("/predict", headers=headers, content=b'{"\xff\xfe": 1}').status_code == 500


prove(TOLD, shows, "a body that is not UTF-8 is answered 500")
