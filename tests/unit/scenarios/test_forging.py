"""Tokens of probes: what they forge is what a service would verify, if it verified it wrongly."""

import importlib.util
from pathlib import Path

import jwt
import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scenarios" / "selftest" / "forging.py"
SECRET = b"a secret of thirty-two bytes...."
HEADER = {"alg": "HS256", "typ": "JWT", "kid": "of ours"}
CLAIMS = {"sub": "prüfung", "aud": "inference", "n": 1}


@pytest.fixture(scope="module")
def forging():
    spec = importlib.util.spec_from_file_location("forging", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verified(presented, secret):
    token = presented["Authorization"].removeprefix("Bearer ")
    return jwt.decode_complete(token, secret, algorithms=["HS256"], audience="inference")


def test_a_library_verifies_what_is_forged(forging):
    found = verified(forging.forged(HEADER, CLAIMS, forging.hs256(SECRET)), SECRET)
    assert (found["header"], found["payload"]) == (HEADER, CLAIMS)


def test_another_secret_signs_otherwise(forging):
    with pytest.raises(jwt.InvalidSignatureError):
        verified(forging.forged(HEADER, CLAIMS, forging.hs256(SECRET[::-1])), SECRET)


def test_the_parts_of_a_token_are_those_it_was_made_of(forging):
    token = jwt.encode(CLAIMS, SECRET, algorithm="HS256", headers={"kid": "of ours"})
    assert forging.parts_of(forging.bearer_of(token)) == (HEADER, CLAIMS)


def test_a_token_forged_of_its_own_parts_is_the_token(forging):
    presented = forging.forged(HEADER, CLAIMS, forging.hs256(SECRET))
    header, claims = forging.parts_of(presented)
    assert forging.forged(header, claims, forging.hs256(SECRET)) == presented
