import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from pydantic import ValidationError

from reference_service.settings import Settings

PROTECTED = [("POST", "/predict"), ("POST", "/predict/batch"), ("GET", "/metadata")]
OPEN = ["/health", "/ready", "/metrics", "/openapi.json"]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def segment(content):
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def refused(response, expect_error):
    error = expect_error(response, 401)
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('ApiKey realm="inference", Bearer realm="inference"')
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


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({}, False),
        ({"X-API-Key": "wrong"}, False),
        ({"Authorization": "Basic good-key"}, False),
        ({"Authorization": "Bearer a.b.c"}, True),
        ({"Authorization": "bearer "}, True),
    ],
    ids=str,
)
def test_a_wrong_bearer_token_is_named_in_the_challenge(anonymous, headers, named):
    """RFC 6750, section 3: only who presented a token learns that it is invalid."""
    challenge = anonymous.get("/metadata", headers=headers).headers["www-authenticate"]
    assert challenge.endswith('Bearer realm="inference", error="invalid_token"') == named


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
    "changes", [{"aud": ["other", "inference"]}, {"scope": "x predict y"}, {"models": None}]
)
def test_harmless_variations_of_a_token(anonymous, signer, features, changes):
    headers = bearer(signer.token(**changes))
    assert anonymous.post("/predict", json={"features": features}, headers=headers).status_code == 200


@pytest.mark.parametrize("scope", [None, "", "metadata", "predictions", ["predict"], {"predict": True}, 1])
def test_token_without_the_scope(anonymous, signer, features, scope, expect_error):
    headers = bearer(signer.token(scope=scope))
    expect_error(anonymous.post("/predict", json={"features": features}, headers=headers), 403)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iss", "aud", "sub"])
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
    "expiry is a number in quotes": {"exp": "9999999999"},
    "expiry is true": {"exp": True},
    "start is a number in quotes": {"nbf": "0"},
    "expiry is infinite": {"exp": float("inf")},
    "start is an object": {"nbf": {"a": 1}},
    "subject is a number": {"sub": 7},
    "subject is empty": {"sub": ""},
    "models is text": {"models": "1.0.0"},
    "models holds a number": {"models": [1]},
    "batch is text": {"max_batch": "5"},
    "batch is true": {"max_batch": True},
    "batch is nothing": {"max_batch": 0},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_wrong_claim(anonymous, signer, changes, expect_error):
    # Signed by hand: the library refuses to issue some of these.
    signed = f"{segment({'alg': 'RS256', 'typ': 'JWT', 'kid': 'k1'})}.{segment(signer.claims(**changes))}"
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
        token = f"{segment({'alg': name, 'typ': 'JWT', 'kid': 'k1'})}.{segment(signer.claims())}."
        refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_hmac_keyed_with_the_public_key(anonymous, signer, expect_error):
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'k1'})}.{segment(signer.claims())}"
    digest = hmac.new(signer.public_pem, signed.encode(), hashlib.sha256).digest()
    token = f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_other_algorithm_with_the_right_key(anonymous, signer, algorithm, expect_error):
    header = {"kid": signer.kid}
    token = jwt.encode(signer.claims(), signer.private_pem, algorithm=algorithm, headers=header)
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_tampered_payload(anonymous, signer, expect_error):
    header, _, signature = signer.token().split(".")
    token = f"{header}.{segment(signer.claims(scope='admin predict'))}.{signature}"
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_token_of_another_key(anonymous, other_signer, expect_error):
    refused(anonymous.get("/metadata", headers=bearer(other_signer.token())), expect_error)


@pytest.mark.parametrize("kid", ["k1", "k2", None])
def test_keys_that_the_token_brings_or_points_to_are_ignored(anonymous, other_signer, kid, expect_error):
    header = {
        "jwk": other_signer.jwk,
        "jku": "https://elsewhere.test/jwks.json",
        "x5u": "/tmp/certificate.pem",
    }
    token = other_signer.token_with(header | ({"kid": kid} if kid else {}))
    refused(anonymous.get("/metadata", headers=bearer(token)), expect_error)


def test_deeply_nested_token_header(anonymous, expect_error):
    nested = base64.urlsafe_b64encode(b"[" * 20_000).rstrip(b"=").decode()
    refused(anonymous.get("/metadata", headers=bearer(f"{nested}.e30.e30")), expect_error)


def test_without_key_files_everything_protected_is_refused(settings, serve, signer, expect_error):
    client = serve(Settings(artifact=settings.artifact))
    for headers in ({"X-API-Key": "good-key"}, {"X-API-Key": ""}, bearer(signer.token())):
        refused(client.get("/metadata", headers=headers), expect_error)


def test_key_set_without_issuer_or_audience_is_refused(settings):
    with pytest.raises(ValidationError, match="SERVICE_JWT_AUDIENCE"):
        Settings(jwks_file=settings.jwks_file, jwt_issuer="x")


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"models": ["0.0.1"]}, 403),
        ({"models": []}, 403),
        ({"models": ["0.0.1", "SERVED"]}, 200),
        ({"max_batch": 2}, 200),
        ({"max_batch": 1}, 200),
    ],
    ids=str,
)
def test_which_model_version_a_token_may_use(anonymous, signer, features, claims, status):
    served = anonymous.get("/metadata", headers=bearer(signer.token())).json()["version"]
    if "models" in claims:
        claims = {"models": [version.replace("SERVED", served) for version in claims["models"]]}
    headers = bearer(signer.token(**claims))
    for path, body in (("/predict", {"features": features}), ("/predict/batch", {"instances": [features]})):
        answer = anonymous.post(path, json=body, headers=headers)
        assert answer.status_code == status
        assert status == 200 or answer.json()["error"]["code"] == "model_not_allowed"


@pytest.mark.parametrize(("rows", "status"), [(1, 200), (2, 200), (3, 403), (100, 403), (101, 400)])
def test_how_large_a_batch_a_token_may_have(anonymous, signer, features, rows, status):
    headers = bearer(signer.token(max_batch=2))
    answer = anonymous.post("/predict/batch", json={"instances": [features] * rows}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "batch_not_allowed"
        assert answer.json()["error"]["field"] == "instances"


def test_who_may_not_use_the_model_learns_nothing_about_the_body(anonymous, signer, expect_error):
    answer = anonymous.post("/predict", content=b"{", headers=bearer(signer.token(models=[])))
    assert expect_error(answer, 403)["code"] == "model_not_allowed"
