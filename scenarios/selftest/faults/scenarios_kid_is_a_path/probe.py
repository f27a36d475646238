"""A prediction for a token that is signed with what an empty file holds, and names that file."""

from forging import forged, hs256, parts_of
from probing import given, predict, prove, sample

told = given()
HEADER, CLAIMS = parts_of(told.headers["bearer"])
FORGED = forged(HEADER | {"alg": "HS256", "kid": "/dev/null"}, CLAIMS, hs256(b""))


def accepts(client):
    """Whether it reads the key from there."""
    return predict(client, FORGED, sample()).status_code == 200


prove(told, accepts, "a token whose key is /dev/null gets a prediction")
