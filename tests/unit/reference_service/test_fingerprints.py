"""What is mounted has to be what was declared, at the start and at each reload."""

import hashlib
import json

import pytest
from signers import write_jwks
from starlette.datastructures import Headers

from reference_service.access.authentication import build_authenticator
from reference_service.access.fingerprints import Fingerprints, check_declaration
from reference_service.access.jwks import thumbprint
from reference_service.access.mounted import Reloaded
from reference_service.app import create_app
from reference_service.errors import ApiError, KeyFileError
from reference_service.settings import Settings


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def declare(settings, tmp_path, signer):
    """Declares what the settings mount, with changes; gives settings with the declaration."""
    file = tmp_path / "fingerprints.json"

    def write(**changes):
        right = {"api_keys_file": [digest(settings.api_keys_file)], "jwks_file": [thumbprint(signer.jwk)]}
        file.write_text(json.dumps(right | changes), encoding="utf-8")
        return settings.model_copy(update={"secret_fingerprints_file": file})

    return write


def test_declared_files_are_served(declare, serve):
    client = serve(declare())
    assert client.get("/metadata", headers={"X-API-Key": "good-key"}).status_code == 200


def test_several_declared_fingerprints_are_alternatives(declare, settings):
    more = {"api_keys_file": ["0" * 64, digest(settings.api_keys_file)]}
    build_authenticator(declare(**more))


@pytest.mark.parametrize("declared", [["0" * 64], []])
def test_another_keys_file_is_refused_with_both_fingerprints(declare, settings, declared):
    with pytest.raises(KeyFileError) as raised:
        create_app(declare(api_keys_file=declared))
    for part in ("keys.json", "fingerprints.json", digest(settings.api_keys_file), *declared):
        assert part in str(raised.value)


def test_a_file_that_is_known_by_its_digest_alone_is_checked_too(declare, tmp_path):
    key = tmp_path / "hash.key"
    key.write_bytes(b"0123456789abcdef")
    for declared, message in (([digest(key)], None), (["0" * 64], digest(key)), ([], digest(key))):
        settings = declare(input_hash_key_file=declared).model_copy(update={"input_hash_key_file": key})
        if message is None:
            check_declaration(settings)
        else:
            with pytest.raises(KeyFileError, match=message):
                check_declaration(settings)


def test_a_key_set_with_one_undeclared_key_is_refused(declare, settings, signer, elliptic_signer):
    write_jwks(settings.jwks_file, signer.jwk, elliptic_signer.jwk)
    with pytest.raises(KeyFileError) as raised:
        create_app(declare())
    for part in ("jwks.json", thumbprint(signer.jwk), thumbprint(elliptic_signer.jwk)):
        assert part in str(raised.value)
    create_app(declare(jwks_file=[thumbprint(each.jwk) for each in (signer, elliptic_signer)]))


def test_a_key_set_that_differs_only_in_what_names_the_key_has_the_same_fingerprint(
    declare, settings, signer
):
    write_jwks(settings.jwks_file, {**signer.jwk, "kid": "renamed", "use": "sig"})
    build_authenticator(declare())


def test_what_is_declared_has_to_be_mounted(declare, settings):
    declaration = declare().secret_fingerprints_file
    alone = Settings(artifact=settings.artifact, secret_fingerprints_file=declaration)
    with pytest.raises(KeyFileError, match=r"fingerprints\.json: api_keys_file: .* SERVICE_API_KEYS_FILE"):
        create_app(alone)
    check_declaration(declare())


@pytest.mark.parametrize(
    "content", ["", "[]", '{"api_key_file": []}', '{"jwks_file": ["abc"]}', '{"api_keys_file": ["x"]}']
)
def test_a_declaration_that_says_something_else_is_refused(declare, content):
    settings = declare()
    settings.secret_fingerprints_file.write_text(content, encoding="utf-8")
    with pytest.raises(KeyFileError, match=r"fingerprints\.json"):
        create_app(settings)


def test_a_missing_declaration_is_refused(declare):
    settings = declare()
    settings.secret_fingerprints_file.unlink()
    with pytest.raises(KeyFileError, match=r"fingerprints\.json"):
        create_app(settings)


def test_an_undeclared_file_is_not_reloaded_until_it_is_declared(declare, settings, monkeypatch):
    now_s = iter(range(1000))
    monkeypatch.setattr(Reloaded.__init__, "__kwdefaults__", {"clock": lambda: next(now_s)})
    authenticator = build_authenticator(declare())

    def passes(key):
        try:
            return bool(authenticator.authenticate(Headers({"x-api-key": key})))
        except ApiError:
            return False

    former = digest(settings.api_keys_file)
    entry = {"id": "x", "sha256": hashlib.sha256(b"planted").hexdigest(), "scopes": ["predict"]}
    settings.api_keys_file.write_text(json.dumps({"keys": [entry]}), encoding="utf-8")
    planted = digest(settings.api_keys_file)
    assert (passes("planted"), passes("good-key")) == (False, True)
    declare(api_keys_file=[former, planted])
    assert (passes("planted"), passes("good-key")) == (True, False)


def test_every_mounted_secret_can_be_declared():
    secrets = {name for name in Settings.model_fields if name.endswith("_file")}
    undeclared = {"secret_fingerprints_file", "tls_key_file"}
    assert secrets - undeclared == set(Fingerprints.model_fields)
