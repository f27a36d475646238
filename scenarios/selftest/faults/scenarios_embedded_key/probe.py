"""A prediction for a token that is signed with a key of ours, and has it in its header."""

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from forging import bearer_of, parts_of
from probing import given, predict, prove, sample

told = given()
_, CLAIMS = parts_of(told.headers["bearer"])
OURS = ec.generate_private_key(ec.SECP256R1())
PUBLISHED = jwt.get_algorithm_by_name("ES256").to_jwk(OURS.public_key(), as_dict=True)
FORGED = jwt.encode(CLAIMS, OURS, algorithm="ES256", headers={"jwk": PUBLISHED})


def accepts(client):
    """Whether it trusts whoever brings a key."""
    return predict(client, bearer_of(FORGED), sample()).status_code == 200


prove(told, accepts, "a token that brings its key gets a prediction")
