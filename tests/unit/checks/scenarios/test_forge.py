"""Each forged token is refused by a sound verification, for the one reason that it is about."""

import base64
import hmac
import json

import jwt
import pytest

from harness.checks.scenarios.forge import forge_token
from harness.checks.scenarios.scenario import Forge
from harness.config.auth import SignerSettings
from harness.credentials import Signer

NOW = 1_800_000_000
CLAIMS = {"iat": NOW, "nbf": NOW, "exp": NOW + 60, "iss": "i", "aud": "a", "sub": "s", "scope": "predict"}


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def pair(request):
    settings = SignerSettings(algorithm=request.param, kid="k1")
    return Signer(settings), Signer(settings)


def forged(pair, **forge):
    signer, other = pair
    return forge_token(Forge(**forge), CLAIMS, now=NOW, signer=signer, other=other)


def parts(token):
    return [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]


def verify(token, pair):
    """Signature and algorithm only: the claims' times are not those of the clock."""
    signer = pair[0]
    return jwt.decode(
        token,
        signer.public_key,
        algorithms=[signer.algorithm],
        audience="a",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )


def test_a_key_that_comes_with_the_token_is_the_one_that_signed_it(pair):
    signer, other = pair
    token = forged(pair, key="other", header={"jwk": "${jwk}"})
    assert jwt.get_unverified_header(token)["jwk"] == other.jwk
    assert verify(token, (other, signer)) == CLAIMS
    with pytest.raises(jwt.InvalidSignatureError):
        verify(token, pair)


def test_a_text_is_the_hmac_secret(pair):
    token = forged(pair, alg="HS256", hmac_key="", header={"kid": "/dev/null"})
    head, body, signature = token.split(".")
    assert base64.urlsafe_b64decode(signature + "==") == hmac.digest(b"", f"{head}.{body}".encode(), "sha256")


def test_a_payload_that_is_no_set_of_claims_is_signed(pair):
    signer, _ = pair
    token = forged(pair, payload="[]")
    assert parts(token)[1] == b"[]"
    assert jwt.api_jws.decode(token, signer.public_key, algorithms=[signer.algorithm]) == b"[]"


def test_a_signature_of_zeros_has_the_right_length(pair):
    zeros = parts(forged(pair, zero_signature=True))[2]
    assert zeros == bytes(len(parts(forged(pair, drop=["exp"]))[2]))
    with pytest.raises(jwt.InvalidSignatureError):
        verify(forged(pair, zero_signature=True), pair)


def test_a_claim_may_be_long(pair):
    assert verify(forged(pair, padding=65536), pair)["padding"] == "x" * 65536


@pytest.mark.parametrize(
    ("forge", "differs"),
    [
        ({"claims": {"exp": "now-120"}}, {"exp": NOW - 120}),
        ({"claims": {"nbf": "now+3600"}}, {"nbf": NOW + 3600}),
        ({"claims": {"iat": "now"}}, {}),
        ({"claims": {"iss": "other"}}, {"iss": "other"}),
        ({"claims": {"scope": "now or never"}}, {"scope": "now or never"}),
        ({"drop": ["exp", "scope"]}, {"exp": None, "scope": None}),
    ],
)
def test_claims_are_signed_by_the_trusted_key_and_differ_as_said(forge, differs, pair):
    expected = {name: value for name, value in (CLAIMS | differs).items() if value is not None}
    assert verify(forged(pair, **forge), pair) == expected


@pytest.mark.parametrize("alg", ["none", "None", "nOnE"])
def test_alg_none_is_unsigned_and_otherwise_valid(alg, pair):
    token = forged(pair, alg=alg)
    head, body, signature = parts(token)
    assert json.loads(head) == {"alg": alg, "typ": "JWT", "kid": "k1"}
    assert json.loads(body) == CLAIMS
    assert signature == b""
    with pytest.raises(jwt.InvalidTokenError):
        verify(token, pair)


@pytest.mark.parametrize(("alg", "digest"), [("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")])
def test_the_public_key_signs_an_hmac(alg, digest, pair):
    token = forged(pair, alg=alg, key="public")
    head, body, signature = parts(token)
    assert json.loads(head)["alg"] == alg
    assert json.loads(body) == CLAIMS
    assert signature == hmac.digest(pair[0].public_key, token.rpartition(".")[0].encode(), digest)
    with pytest.raises(jwt.InvalidAlgorithmError):
        verify(token, pair)


def test_another_key_signs_the_valid_claims_under_the_same_key_id(pair):
    token = forged(pair, key="other")
    assert jwt.get_unverified_header(token)["kid"] == "k1"
    assert verify(token, pair[::-1]) == CLAIMS
    with pytest.raises(jwt.InvalidSignatureError):
        verify(token, pair)


def test_a_tampered_payload_keeps_the_signature_of_the_original(pair):
    token = forged(pair, tamper={"sub": "admin", "exp": "now+9"})
    head, body, signature = token.split(".")
    assert json.loads(parts(token)[1]) == CLAIMS | {"sub": "admin", "exp": NOW + 9}
    original = (
        base64.urlsafe_b64encode(json.dumps(CLAIMS, separators=(",", ":")).encode()).rstrip(b"=").decode()
    )
    assert original != body
    assert verify(f"{head}.{original}.{signature}", pair) == CLAIMS
    with pytest.raises(jwt.InvalidSignatureError):
        verify(token, pair)


def test_a_stripped_signature_leaves_header_and_payload(pair):
    token = forged(pair, strip_signature=True)
    assert token.endswith(".")
    assert json.loads(parts(token)[0])["alg"] == pair[0].algorithm
    assert json.loads(parts(token)[1]) == CLAIMS
    with pytest.raises(jwt.InvalidSignatureError):
        verify(token, pair)


@pytest.mark.parametrize("header", [{"kid": "k2"}, {"kid": ""}, {"jku": "https://elsewhere.test/jwks"}])
def test_header_fields_are_signed_by_the_trusted_key_and_differ_as_said(header, pair):
    token = forged(pair, header=header)
    valid = {"alg": pair[0].algorithm, "typ": "JWT", "kid": "k1"}
    assert jwt.get_unverified_header(token) == valid | header
    assert verify(token, pair) == CLAIMS


def test_another_algorithm_in_the_header_leaves_the_signature_that_of_the_key(pair):
    signer = pair[0]
    named = {"RS256": "ES256", "ES256": "RS256"}[signer.algorithm]
    token = forged(pair, header={"alg": named})
    assert jwt.get_unverified_header(token)["alg"] == named
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    algorithm = jwt.get_algorithm_by_name(signer.algorithm)
    assert algorithm.verify(signed.encode(), algorithm.prepare_key(signer.public_key), raw)
    with pytest.raises(jwt.InvalidAlgorithmError):
        verify(token, pair)


def test_a_header_field_goes_with_an_unsigned_token(pair):
    header = json.loads(parts(forged(pair, alg="none", header={"kid": "k2"}))[0])
    assert header == {"alg": "none", "typ": "JWT", "kid": "k2"}


def test_an_algorithm_is_given_once():
    with pytest.raises(ValueError, match="alg is given twice"):
        Forge(alg="none", header={"alg": "ES256"})
