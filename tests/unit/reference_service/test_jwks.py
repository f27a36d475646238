"""Which key of the key set verifies a token, and which key sets are refused."""

import json
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from signers import signer_of, write_jwks
from starlette.datastructures import Headers

from reference_service.access.authentication import build_authenticator
from reference_service.access.jwks import parse_jwks, thumbprint
from reference_service.errors import ApiError, KeyFileError


@pytest.fixture
def identity(settings):
    """Authenticates a token against a key set; None where it is refused."""

    def authenticate(token, *keys):
        write_jwks(settings.jwks_file, *keys)
        headers = Headers({"authorization": f"Bearer {token}"})
        try:
            return build_authenticator(settings).authenticate(headers).identity
        except ApiError:
            return None

    return authenticate


def test_each_key_of_the_set_verifies_its_own_tokens(identity, signer, other_signer, elliptic_signer):
    signers = (signer, other_signer, elliptic_signer)
    for each in signers:
        assert identity(each.token(), *(one.jwk for one in signers)) == "subject:tester"
        assert identity(each.token(), *(one.jwk for one in signers if one is not each)) is None


def test_a_withdrawn_key_verifies_nothing(identity, signer, other_signer):
    assert identity(signer.token(), other_signer.jwk) is None


@pytest.mark.parametrize("kid", ["k2", "k3", "unknown", "", "../k1", "K1"])
def test_a_token_of_another_kid_is_refused(identity, signer, other_signer, elliptic_signer, kid):
    keys = [each.jwk for each in (signer, other_signer, elliptic_signer)]
    assert identity(signer.token_with({"kid": kid}), *keys) is None


def test_a_token_without_kid_needs_the_only_key_of_its_algorithm(
    identity, signer, other_signer, elliptic_signer
):
    rsa_token, elliptic_token = signer.token_with({}), elliptic_signer.token_with({})
    assert identity(rsa_token, signer.jwk, elliptic_signer.jwk) == "subject:tester"
    assert identity(elliptic_token, signer.jwk, elliptic_signer.jwk) == "subject:tester"
    assert identity(rsa_token, signer.jwk, other_signer.jwk) is None
    assert identity(rsa_token, elliptic_signer.jwk) is None


def test_a_kid_that_is_no_text_is_refused(identity, signer):
    head = jwt.utils.base64url_encode(json.dumps({"alg": "RS256", "kid": ["k1"]}).encode()).decode()
    _, payload, signature = signer.token().split(".")
    assert identity(f"{head}.{payload}.{signature}", signer.jwk) is None


@pytest.mark.parametrize("names", ["RS256", "ES256", "ES384", "HS256", "none"])
@pytest.mark.parametrize("kid", ["k1", "k3"])
def test_a_header_that_names_another_algorithm_is_refused(identity, signer, elliptic_signer, names, kid):
    for each in (signer, elliptic_signer):
        if (each.kid, each.algorithm) == (kid, names):
            continue
        header = json.dumps({"alg": names, "typ": "JWT", "kid": kid}).encode()
        _, payload, _ = each.token().split(".")
        signed = f"{jwt.utils.base64url_encode(header).decode()}.{payload}"
        algorithm = jwt.get_algorithm_by_name(each.algorithm)
        signature = algorithm.sign(signed.encode(), algorithm.prepare_key(each.private_pem))
        token = f"{signed}.{jwt.utils.base64url_encode(signature).decode()}"
        assert identity(token, signer.jwk, elliptic_signer.jwk) is None


def test_the_declared_algorithm_may_be_left_out_and_others_of_the_standard_are_ignored(identity, signer):
    assert identity(signer.token(), {**signer.jwk, "x5t": "x", "x5u": "https://elsewhere.test", "use": "sig"})
    assert identity(signer.token(), {**signer.jwk, "alg": "RS256"})


def private_jwk(signer):
    algorithm = jwt.get_algorithm_by_name(signer.algorithm)
    return {**algorithm.to_jwk(algorithm.prepare_key(signer.private_pem), as_dict=True), "kid": "private"}


def new_rsa(bits):
    return signer_of(rsa.generate_private_key(public_exponent=65537, key_size=bits), "new").jwk


def new_elliptic(curve):
    key = ec.generate_private_key(curve).public_key()
    return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), "kid": "new"}


WRONG_KEYS = {
    "private RSA": (lambda rsa_one, _: private_jwk(rsa_one), "private or symmetric"),
    "private EC": (lambda _, elliptic: private_jwk(elliptic), "private or symmetric"),
    "symmetric": (lambda *_: {"kty": "oct", "k": "c2VjcmV0", "kid": "new"}, "private or symmetric"),
    "symmetric without key": (lambda *_: {"kty": "oct", "kid": "new"}, "kty must be"),
    "OKP": (lambda *_: {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "new"}, "kty must be"),
    "no type": (lambda *_: {"kid": "new"}, "kty must be"),
    "type is a list": (lambda *_: {"kty": ["RSA"], "kid": "new"}, "kty must be"),
    "short RSA": (lambda *_: new_rsa(1024), "at least 2048 bits"),
    "P-384": (lambda *_: new_elliptic(ec.SECP384R1()), "crv must be P-256"),
    "secp256k1": (lambda *_: new_elliptic(ec.SECP256K1()), "crv must be P-256"),
    "other algorithm": (lambda rsa_one, _: {**rsa_one.jwk, "kid": "new", "alg": "RS512"}, "alg of this type"),
    "algorithm of another type": (lambda rsa_one, _: {**rsa_one.jwk, "kid": "n", "alg": "ES256"}, "alg of"),
    "symmetric algorithm": (lambda _, elliptic: {**elliptic.jwk, "kid": "n", "alg": "HS256"}, "alg of"),
    "for encryption": (lambda rsa_one, _: {**rsa_one.jwk, "kid": "new", "use": "enc"}, "for signatures"),
    "to sign": (lambda rsa_one, _: {**rsa_one.jwk, "kid": "new", "key_ops": ["sign"]}, "for signatures"),
    "operations are text": (
        lambda rsa_one, _: {**rsa_one.jwk, "kid": "n", "key_ops": "verify"},
        "signatures",
    ),
    "no kid": (lambda rsa_one, _: {**rsa_one.jwk, "kid": None}, "kid must be"),
    "empty kid": (lambda rsa_one, _: {**rsa_one.jwk, "kid": ""}, "kid must be"),
    "repeated kid": (lambda rsa_one, _: rsa_one.jwk, "same kid"),
    "half a key": (
        lambda rsa_one, _: {**rsa_one.jwk, "kid": "new", "n": rsa_one.jwk["n"][:-40]},
        "2048|readable",
    ),
    "no modulus": (lambda *_: {"kty": "RSA", "e": "AQAB", "kid": "new"}, "readable"),
    "modulus is a number": (lambda *_: {"kty": "RSA", "n": 5, "e": "AQAB", "kid": "new"}, "readable"),
    "point not on the curve": (
        lambda _, elliptic: {**elliptic.jwk, "kid": "n", "y": elliptic.jwk["x"]},
        "readable",
    ),
    "no object": (lambda *_: "key", "JSON object"),
}


@pytest.mark.parametrize(("make", "message"), WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
def test_a_good_key_does_not_excuse_what_is_beside_it(settings, signer, elliptic_signer, make, message):
    keys = [signer.jwk, make(signer, elliptic_signer)]
    for order in (keys, keys[::-1]):
        write_jwks(settings.jwks_file, *order)
        with pytest.raises(KeyFileError, match=message) as raised:
            build_authenticator(settings)
        assert "jwks.json" in str(raised.value)
        assert private_jwk(signer)["d"][:10] not in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"keys": []}', b'{"keys": {}}', b"\xff", b"[" * 100_000, b"null"]
)
def test_what_is_no_key_set_is_refused(settings, content):
    settings.jwks_file.write_bytes(content)
    with pytest.raises(KeyFileError, match=r"jwks\.json"):
        build_authenticator(settings)


VALUES = st.sampled_from(["RSA", "EC", "P-256", "AQAB", "AA", "", "sig", "\ud800", 0, -1, None, True, [], {}])
MEMBERS = st.sampled_from(["kty", "kid", "alg", "use", "key_ops", "crv", "n", "e", "x", "y"])


@given(st.lists(st.dictionaries(MEMBERS, VALUES, max_size=6), max_size=2))
def test_a_key_set_of_anything_is_refused_as_a_wrong_file(keys):
    with pytest.raises(KeyFileError, match=r"any\.json"):
        parse_jwks(Path("any.json"), json.dumps({"keys": keys}).encode())


def test_thumbprint_is_that_of_the_standard():
    """The example of RFC 7638, section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    entry = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(entry) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
