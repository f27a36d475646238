"""Metadata has no ``serving``, and is whole otherwise."""

from probing import answered, given, prove

TOLD = given()


def shows(client):
    """By its members."""
    told = answered(client.get("/metadata", headers=TOLD.headers["api_key"]))
    return "serving" not in told and "outputs" in told


prove(TOLD, shows, "metadata lacks an optional member")
