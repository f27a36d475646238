"""Secrets are made or taken, presented as declared, and never shown."""

import hashlib

import jwt
import pytest

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


def test_keys_are_random_for_each_run_and_differ():
    first, second = Credentials(SETTINGS, {}), Credentials(SETTINGS, {})
    assert len({first.key("default"), first.key("other"), second.key("default"), second.key("other")}) == 4


def test_a_key_from_the_environment_is_used():
    credentials = Credentials(SETTINGS, {"GATE_KEY_DEFAULT": "mine"})
    assert credentials.headers("default") == {"X-API-Key": "mine"}
    assert credentials.template_values()["key.default.sha256"] == hashlib.sha256(b"mine").hexdigest()


def test_a_url_needs_every_secret_given():
    with pytest.raises(UsageError, match="GATE_KEY_OTHER is not set"):
        Credentials(SETTINGS, {"GATE_KEY_DEFAULT": "mine"}, generate=False)


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


def test_a_token_is_reused_while_it_is_young():
    credentials = Credentials(SETTINGS, {})
    assert credentials.headers("token") == credentials.headers("token")


def test_no_credential_has_no_headers():
    assert Credentials(SETTINGS, {}).headers(None) == {}


def test_redact_replaces_keys_and_tokens_by_variables():
    credentials = Credentials(SETTINGS, {})
    token = credentials.headers("token")["Authorization"]
    text = f"{credentials.key('default')} {token}"
    assert credentials.redact(text) == "$GATE_KEY_DEFAULT Bearer $GATE_TOKEN"
    assert credentials.shown_headers("default") == {"X-API-Key": "$GATE_KEY_DEFAULT"}
