"""What nobody is told of a body that no schema allows."""

from probing import given, prove

told = given()


def tells_of_the_body(client):
    """Whether it is wrong in the body that counts first."""
    return client.post("/predict", json={"nothing": "that the service knows"}).status_code == 400


prove(told, tells_of_the_body, "who has no credential learns what is wrong with the body")
