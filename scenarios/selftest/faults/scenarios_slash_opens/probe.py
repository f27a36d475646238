"""A prediction for nobody, at a path with a slash behind it."""

from probing import given, prove, sample

told = given()


def opens(client):
    """Whether nobody asked who calls."""
    return client.post("/predict/", json={"features": sample()}).status_code == 200


prove(told, opens, "POST /predict/ is answered without a credential")
