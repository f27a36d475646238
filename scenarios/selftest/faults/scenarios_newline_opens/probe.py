"""A prediction for nobody, at a path with a newline."""

from probing import given, prove, sample

told = given()


def opens(client):
    """Whether nobody asked who calls."""
    return client.post("/predict%0A", json={"features": sample()}).status_code == 200


prove(told, opens, "POST /predict%0A is answered without a credential")
