"""Secrets are made or taken, presented as declared, and never shown."""

import hashlib
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.config.auth import AuthSettings
from harness.credentials import Credentials
from harness.errors import UsageError

SETTINGS = AuthSettings.model_validate(
    {
        "keys": ["default", "other"],
        "signers": {"issuer": {"algorithm": "ES256", "kid": "k1"}},
        "credentials": {
            "default": {"headers": {"X-API-Key": "${key.default}"}},
            "token": {
                "headers": {"Authorization": "Bearer ${token}"},
                "token": {"signer": "issuer", "claims": {"aud": "me"}, "lifetime_s": 60},
            },
        },
    }
)

MINE = "mine-for-this-run"


def test_keys_are_random_for_each_run_and_differ():
    first, second = Credentials(SETTINGS, {}), Credentials(SETTINGS, {})
    assert len({first.key("default"), first.key("other"), second.key("default"), second.key("other")}) == 4


def test_a_key_from_the_environment_is_used():
    credentials = Credentials(SETTINGS, {"GATE_KEY_DEFAULT": MINE})
    assert credentials.headers("default") == {"X-API-Key": MINE}
    assert credentials.template_values()["key.default.sha256"] == hashlib.sha256(MINE.encode()).hexdigest()


def test_a_url_needs_every_secret_given():
    with pytest.raises(UsageError, match="GATE_KEY_OTHER is not set"):
        Credentials(SETTINGS, {"GATE_KEY_DEFAULT": MINE}, generate=False)


def test_an_empty_secret_is_refused():
    with pytest.raises(UsageError, match="GATE_KEY_DEFAULT is empty"):
        Credentials(SETTINGS, {"GATE_KEY_DEFAULT": ""})


def test_a_private_key_that_is_none_names_its_variable():
    with pytest.raises(UsageError, match="GATE_SIGNER_ISSUER_PEM"):
        Credentials(SETTINGS, {"GATE_SIGNER_ISSUER_PEM": "junk"})


def test_a_token_is_signed_and_valid():
    credentials = Credentials(SETTINGS, {})
    token = credentials.headers("token")["Authorization"].removeprefix("Bearer ")
    public = credentials.template_values()["signer.issuer.public_key_pem"]
    claims = jwt.decode(token, public, algorithms=["ES256"], audience="me")
    assert claims["exp"] - claims["iat"] == 60
    assert jwt.get_unverified_header(token)["kid"] == "k1"


@pytest.mark.parametrize(("algorithm", "kty"), [("RS256", "RSA"), ("ES256", "EC")])
@pytest.mark.parametrize("kid", ["k1", None])
def test_the_key_set_of_a_signer_verifies_its_tokens_and_holds_no_private_part(algorithm, kty, kid):
    signers = {"issuer": {"algorithm": algorithm, "kid": kid}}
    credentials = Credentials(SETTINGS.model_validate({**SETTINGS.model_dump(), "signers": signers}), {})
    token = credentials.headers("token")["Authorization"].removeprefix("Bearer ")
    values = credentials.template_values()
    [published] = json.loads(values["signer.issuer.jwks"])["keys"]
    assert json.loads(values["signer.issuer.jwk"]) == published
    assert (published["kty"], published["alg"]) == (kty, algorithm)
    assert published.get("kid") == jwt.get_unverified_header(token).get("kid") == kid
    assert not published.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert jwt.decode(token, jwt.PyJWK(published), algorithms=[algorithm], audience="me")["aud"] == "me"


def test_an_elliptic_key_of_another_curve_is_no_es256_key():
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(UsageError, match="not a private key for ES256"):
        Credentials(SETTINGS, {"GATE_SIGNER_ISSUER_PEM": pem})


def test_a_token_is_reused_while_it_is_young():
    credentials = Credentials(SETTINGS, {})
    assert credentials.headers("token") == credentials.headers("token")


@pytest.mark.parametrize("jump_s", [-7200, 7200])
def test_a_token_is_made_anew_when_the_clock_was_set(monkeypatch, jump_s):
    """One of the future is refused like one that has expired."""
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s)
    credentials = Credentials(SETTINGS, {})
    first = credentials.token("token")
    now_s += jump_s
    claims = jwt.decode(credentials.token("token"), options={"verify_signature": False})
    assert credentials.token("token") != first
    assert claims["iat"] == claims["nbf"] == int(now_s)


def test_no_credential_has_no_headers():
    assert Credentials(SETTINGS, {}).headers(None) == {}


def test_redact_replaces_keys_and_tokens_by_variables():
    credentials = Credentials(SETTINGS, {})
    token = credentials.headers("token")["Authorization"]
    text = f"{credentials.key('default')} {token}"
    assert credentials.redact(text) == "$GATE_KEY_DEFAULT Bearer $GATE_TOKEN"
    assert credentials.shown_headers("default") == {"X-API-Key": "$GATE_KEY_DEFAULT"}


@pytest.mark.parametrize(
    "given", ["key", "fifteen-letters", "sixteen letters-", "schlüssel-aus-bayern", "a" * 16 + "\n"]
)
def test_a_secret_that_cannot_be_kept_is_refused_without_showing_it(given):
    with pytest.raises(UsageError, match="GATE_KEY_DEFAULT") as caught:
        Credentials(SETTINGS, {"GATE_KEY_DEFAULT": given})
    assert given not in str(caught.value)


def test_a_secret_is_found_where_json_quotes_it():
    secret = 'quoted"and\\escaped!'
    credentials = Credentials(SETTINGS, {"GATE_KEY_DEFAULT": secret})
    once = json.dumps({"header": f"<{secret}>"})
    twice = json.dumps({"body": once})
    assert json.loads(credentials.redact(once)) == {"header": "<$GATE_KEY_DEFAULT>"}
    assert json.loads(json.loads(credentials.redact(twice))["body"]) == {"header": "<$GATE_KEY_DEFAULT>"}
    assert credentials.redact(secret) == "$GATE_KEY_DEFAULT"


@pytest.mark.parametrize("shorter", ["default", "other"])
def test_a_secret_that_begins_another_leaves_nothing_of_it(shorter):
    longer = "other" if shorter == "default" else "default"
    given = {shorter: "sixteen-letters!", longer: "sixteen-letters!and-more"}
    credentials = Credentials(SETTINGS, {f"GATE_KEY_{name.upper()}": key for name, key in given.items()})
    text = " ".join(credentials.key(name) for name in (shorter, longer))
    assert credentials.redact(text) == f"$GATE_KEY_{shorter.upper()} $GATE_KEY_{longer.upper()}"
