"""A prediction for a token that is signed by HMAC, keyed with the public key."""

import json

import jwt
from containers import prove_of_containers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from forging import forged, hs256, parts_of
from probing import given, predict, sample

JWKS = "/run/secrets/jwks.json"
told = given()
HEADER, CLAIMS = parts_of(told.headers["bearer"])


def public_key(container):
    """The one that verifies the token, as PEM: it is no secret."""
    code, content = container.exec_run(["cat", JWKS])
    if code != 0:
        raise FileNotFoundError(JWKS)
    entry = next(each for each in json.loads(content)["keys"] if each["kid"] == HEADER["kid"])
    return jwt.PyJWK(entry).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def accepts(container, client):
    """Whether what everybody may know is a secret to it."""
    token = forged(HEADER | {"alg": "HS256"}, CLAIMS, hs256(public_key(container)))
    return predict(client, token, sample()).status_code == 200


prove_of_containers(told, accepts, "a token that is signed with the public key gets a prediction")
