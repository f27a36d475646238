import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from reference_service.access.tokens import KeyFileError
from reference_service.app import create_app
from reference_service.settings import Settings

PROTECTED = [("POST", "/predict"), ("POST", "/predict/batch"), ("GET", "/metadata")]
OPEN = ["/health", "/ready", "/metrics", "/openapi.json"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def segment(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def refused(response, expect_error):
    error = expect_error(response, 401)
    assert "Bearer" in response.headers["www-authenticate"]
    assert "x-ratelimit-limit" not in response.headers
    return error["code"]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "good-key "[:-2]},
        {"X-API-Key": b"\xff\xfe"},
        {"Authorization": "good-key"},
        {"Authorization": "Basic good-key"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": b"Bearer \xff"},
    ],
    ids=str,
)
def test_no_or_wrong_credentials(anonymous, method, path, headers, expect_error):
    refused(anonymous.request(method, path, headers=headers), expect_error)


def test_body_of_an_unauthenticated_request_is_not_parsed(anonymous, expect_error):
    response = anonymous.post("/predict", content=b"NaN", headers={"Content-Type": "text/plain"})
    assert refused(response, expect_error) == "missing_credentials"


@pytest.mark.parametrize("path", OPEN)
def test_open_paths_need_no_credentials(anonymous, path):
    response = anonymous.get(path)
    assert response.status_code == 200
    assert "x-ratelimit-limit" not in response.headers


def test_every_documented_operation_is_protected_or_known_to_be_open(anonymous):
    document = anonymous.get("/openapi.json").json()
    secured = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("security")
    }
    assert secured == set(PROTECTED)
    assert document["paths"].keys() - {path for _, path in PROTECTED} <= set(OPEN)


def test_valid_key(client, features):
    assert client.post("/predict", json={"features": features}).status_code == 200
    assert client.get("/metadata").status_code == 200


def test_wrong_key_is_not_rescued_by_a_valid_token(anonymous, signer, expect_error):
    headers = {"X-API-Key": "wrong", **bearer(signer.token())}
    refused(anonymous.get("/metadata", headers=headers), expect_error)


def test_repeated_credentials_are_refused(anonymous, signer, expect_error):
    keys = [("X-API-Key", "good-key"), ("X-API-Key", "good-key")]
    refused(anonymous.get("/metadata", headers=keys), expect_error)
    tokens = [("Authorization", f"Bearer {signer.token()}")] * 2
    refused(anonymous.get("/metadata", headers=tokens), expect_error)


def test_key_without_the_scope(anonymous, features, expect_error):
    headers = {"X-API-Key": "reader-key"}
    response = anonymous.post("/predict", json={"features": features}, headers=headers)
    assert expect_error(response, 403)["code"] == "insufficient_scope"
    assert response.headers["x-ratelimit-limit"]
    assert anonymous.get("/metadata", headers=headers).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_valid_token(anonymous, signer, features, scheme):
    headers = {"Authorization": f"{scheme} {signer.token()}"}
    assert anonymous.post("/predict", json={"features": features}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "changes", [{"sub": None}, {"aud": ["other", "inference"]}, {"scope": "x predict y"}]
)
def test_harmless_variations_of_a_token(anonymous, signer, features, changes):
    headers = bearer(signer.token(**changes))
    assert anonymous.post("/predict", json={"features": features}, headers=headers).status_code == 200


@pytest.mark.parametrize("scope", [None, "", "metadata", "predictions", ["predict"], {"predict": True}, 1])
def test_token_without_the_scope(anonymous, signer, features, scope, expect_error):
    headers = bearer(signer.token(scope=scope))
    expect_error(anonymous.post("/predict", json={"features": features}, headers=headers), 403)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iss", "aud"])
def test_required_claim_missing(anonymous, signer, claim, expect_error):
    refused(anonymous.get("/metadata", headers=bearer(signer.token(**{claim: None}))), expect_error)


WRONG_CLAIMS = {
    "expired": {"exp": 1_000_000_000},
    "not yet valid": {"nbf": 32_000_000_000, "exp": 33_000_000_000},
    "other issuer": {"iss": "https://other.test"},
    "issuer with a slash": {"iss": "https://issuer.test/"},
    "other audience": {"aud": "other"},
    "no audience": {"aud": []},
    "expiry is text": {"exp": "never"},
    "expiry is infinite": {"exp": float("inf")},
    "start is an object": {"nbf": {"a": 1}},
    "subject is a number": {"sub": 7},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_wrong_claim(anonymous, signer, changes, expect_error):
    # Signed by hand: the library refuses to issue some of these.
    signed = f"{segment({'alg': 'RS256', 'typ': 'JWT'})}.{segment(signer.claims(**changes))}"
    algorithm = jwt.get_algorithm_by_name("RS256")
    signature = algorithm.sign(signed.encode(), algorithm.prepare_key(signer.private_pem))
    token = f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_leeway_is_small(anonymous, signer, expect_error):
    just_expired = signer.token(exp=int(time.time()) - 2)
    assert anonymous.get("/metadata", headers=bearer(just_expired)).status_code == 200
    refused(anonymous.get("/metadata", headers=bearer(signer.token(exp=time.time() - 10))), expect_error)


def test_algorithm_none(anonymous, signer, expect_error):
    for name in ("none", "None", "NONE"):
        token = f"{segment({'alg': name, 'typ': 'JWT'})}.{segment(signer.claims())}."
        refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_hmac_keyed_with_the_public_key(anonymous, signer, expect_error):
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{segment(signer.claims())}"
    digest = hmac.new(signer.public_pem, signed.encode(), hashlib.sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_other_algorithm_with_the_right_key(anonymous, signer, algorithm, expect_error):
    token = jwt.encode(signer.claims(), signer.private_pem, algorithm=algorithm)
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_tampered_payload(anonymous, signer, expect_error):
    header, _, signature = signer.token().split(".")
    token = f"{header}.{segment(signer.claims(scope='admin predict'))}.{signature}"
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_token_of_another_key(anonymous, other_signer, expect_error):
    refused(anonymous.get("/metadata", headers=bearer(other_signer.token())), expect_error)


def test_key_in_the_token_itself_is_ignored(anonymous, other_signer, expect_error):
    algorithm = jwt.get_algorithm_by_name("RS256")
    own_key = json.loads(algorithm.to_jwk(algorithm.prepare_key(other_signer.public_pem)))
    token = jwt.encode(
        other_signer.claims(), other_signer.private_pem, algorithm="RS256", headers={"jwk": own_key}
    )
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_deeply_nested_token_header(anonymous, expect_error):
    nested = base64.urlsafe_b64encode(b"[" * 20_000).rstrip(b"=").decode()
    refused(anonymous.get("/metadata", headers=bearer(f"{nested}.e30.e30")), expect_error)


def test_two_public_keys_are_both_accepted(settings, serve, signer, other_signer):
    settings.jwt_public_key_file.write_bytes(signer.public_pem + other_signer.public_pem)
    client = serve(settings)
    for each in (signer, other_signer):
        assert client.get("/metadata", headers=bearer(each.token())).status_code == 200


def test_without_key_files_everything_protected_is_refused(settings, serve, signer, expect_error):
    client = serve(Settings(artifact=settings.artifact))
    for headers in ({"X-API-Key": "good-key"}, {"X-API-Key": ""}, bearer(signer.token())):
        refused(client.get("/metadata", headers=headers), expect_error)


def test_public_key_without_issuer_or_audience_is_refused(settings):
    with pytest.raises(ValidationError, match="SERVICE_JWT_AUDIENCE"):
        Settings(jwt_public_key_file=settings.jwt_public_key_file, jwt_issuer="x")


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----"]
)
def test_unusable_public_key_file(settings, content):
    settings.jwt_public_key_file.write_bytes(content)
    with pytest.raises(KeyFileError, match=r"public\.pem"):
        create_app(settings)


def rsa_key(bits):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def certificate(signer):
    body = signer.public_pem.decode().splitlines()[1:-1]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *body, "-----END CERTIFICATE-----", ""]).encode()


COMPANIONS = {
    "private key": lambda signer: signer.private_pem,
    "garbage": lambda _: b"garbage\n",
    "half a key": lambda signer: signer.public_pem[:-30],
    "short key": lambda _: public_pem(rsa_key(1024)),
    "elliptic key": lambda _: public_pem(ec.generate_private_key(ec.SECP256R1())),
    "certificate": certificate,
    "broken key": lambda _: b"-----BEGIN PUBLIC KEY-----\nAA\n-----END PUBLIC KEY-----\n",
}


@pytest.mark.parametrize("companion", COMPANIONS.values(), ids=COMPANIONS.keys())
@pytest.mark.parametrize("first", [True, False])
def test_a_good_public_key_does_not_excuse_what_is_beside_it(settings, signer, companion, first):
    parts = [signer.public_pem, companion(signer)]
    settings.jwt_public_key_file.write_bytes(b"".join(parts if first else reversed(parts)))
    with pytest.raises(KeyFileError, match=r"public\.pem") as raised:
        create_app(settings)
    assert "PRIVATE" not in str(raised.value)


def test_blank_lines_around_public_keys_are_harmless(settings, signer, serve):
    settings.jwt_public_key_file.write_bytes(b"\n" + signer.public_pem.replace(b"\n", b"\r\n") + b"\n\n")
    assert serve(settings).get("/metadata", headers=bearer(signer.token())).status_code == 200


def entry(**changes):
    return {"id": "a", "sha256": "0" * 64, "scopes": ["predict"]} | changes


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([entry(), entry(sha256="1" * 64)], "id"),
        ([entry(), entry(id="b")], "sha256"),
        ([entry(scopes=["predict", "admin"])], "scopes"),
        ([entry(scopes=["Predict"])], "scopes"),
    ],
    ids=["repeated id", "repeated key", "unknown scope", "scope in another case"],
)
def test_keys_file_that_means_something_else(settings, keys, message):
    settings.api_keys_file.write_text(json.dumps({"keys": keys}), encoding="utf-8")
    with pytest.raises(KeyFileError, match=message):
        create_app(settings)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '{"keys": [{"id": "a", "sha256": "plain-text-secret", "scopes": []}]}',
        f'{{"keys": [{{"id": "a", "sha256": "{"0" * 64}", "scopes": [], "quota": "many"}}]}}',
        f'{{"keys": [{{"id": "a", "sha256": "{"0" * 64}", "scopes": [], "quota": "0/second"}}]}}',
        f'{{"keys": [{{"id": "a", "sha256": "{"0" * 64}", "scopes": [], "quota": "1/second;2/hour"}}]}}',
    ],
)
def test_unusable_keys_file(settings, content):
    settings.api_keys_file.write_text(content, encoding="utf-8")
    with pytest.raises(KeyFileError, match=r"keys\.json") as raised:
        create_app(settings)
    assert "plain-text-secret" not in str(raised.value)


def test_missing_keys_file(settings):
    settings.api_keys_file.unlink()
    with pytest.raises(KeyFileError, match=r"keys\.json"):
        create_app(settings)
