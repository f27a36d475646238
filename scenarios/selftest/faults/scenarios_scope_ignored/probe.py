"""A prediction for a key that may only read the metadata, and these for a token that may only predict."""

from probing import given, predict, prove, sample

told = given()


def lets_everybody(client):
    """Whether neither of them is told that they may not."""
    prediction = predict(client, told.headers["reader_key"], sample())
    metadata = client.get("/metadata", headers=told.headers["bearer"])
    return prediction.status_code == metadata.status_code == 200


prove(told, lets_everybody, "who lacks a scope is answered")
