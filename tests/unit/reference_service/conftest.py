"""One application for all tests, fresh ones for tests that need them, keys, and a token signer."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signers import AUDIENCE, ISSUER, Signer, signer_of, write_jwks
from starlette.testclient import TestClient

import reference_service
from reference_service.app import create_app
from reference_service.settings import Settings

ARTIFACT = Path(reference_service.__file__).parent / "artifacts" / "breast-cancer"


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    """Keep the developer's own SERVICE_ variables out of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SERVICE_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def signer() -> Signer:
    return signer_of(rsa.generate_private_key(public_exponent=65537, key_size=2048), "k1")


@pytest.fixture(scope="session")
def other_signer() -> Signer:
    return signer_of(rsa.generate_private_key(public_exponent=65537, key_size=2048), "k2")


@pytest.fixture(scope="session")
def elliptic_signer() -> Signer:
    return signer_of(ec.generate_private_key(ec.SECP256R1()), "k3")


def write_keys(path: Path, *keys: dict[str, Any]) -> Path:
    """Write a keys file; each key gives its plain `secret`, which the file never holds."""
    entries = [
        {
            "sha256": hashlib.sha256(key["secret"].encode()).hexdigest(),
            "scopes": ["predict", "metadata"],
            **{name: value for name, value in key.items() if name != "secret"},
        }
        for key in keys
    ]
    path.write_text(json.dumps({"keys": entries}), encoding="utf-8")
    return path


def write_settings(folder: Path, signer: Signer) -> Settings:
    keys = write_keys(
        folder / "keys.json",
        {"id": "default", "secret": "good-key", "quota": "1000000/second"},
        {
            "id": "narrow",
            "secret": "narrow-key",
            "quota": "3 per 60 seconds",
            "metadata_quota": "3 per 60 seconds",
            "rows_quota": "10 per 60 seconds",
        },
        {"id": "reader", "secret": "reader-key", "scopes": ["metadata"]},
    )
    return Settings(
        artifact=ARTIFACT,
        api_keys_file=keys,
        jwks_file=write_jwks(folder / "jwks.json", signer.jwk),
        jwt_issuer=ISSUER,
        jwt_audience=AUDIENCE,
        max_body_bytes=200_000,
        max_batch=100,
    )


@pytest.fixture
def settings(tmp_path: Path, signer: Signer) -> Settings:
    """Settings whose files a test may change."""
    return write_settings(tmp_path, signer)


@pytest.fixture(scope="session")
def shared_settings(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Settings:
    """Settings whose files no test changes."""
    return write_settings(tmp_path_factory.mktemp("service"), signer)


@pytest.fixture(scope="session")
def shared(shared_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(shared_settings)) as client:
        yield client


@pytest.fixture
def serve() -> Iterator[Callable[[Settings], TestClient]]:
    """Start applications; every one is shut down after the test."""
    started: list[TestClient] = []

    def start(settings: Settings) -> TestClient:
        client = TestClient(create_app(settings))
        client.__enter__()
        started.append(client)
        return client

    yield start
    for client in started:
        client.__exit__(None, None, None)


def another_client(shared: TestClient, **headers: str) -> TestClient:
    """Make a client of its own, of an application that `shared` has started."""
    client = TestClient(shared.app, headers=headers)
    client.app_state.update(shared.app_state)
    client.portal = shared.portal
    return client


@pytest.fixture
def anonymous(shared: TestClient) -> TestClient:
    """A client without credentials, of the application that all tests share."""
    return another_client(shared)


@pytest.fixture
def fresh(settings: Settings, serve: Callable[[Settings], TestClient]) -> TestClient:
    """A client without credentials, of an application that has answered nothing yet."""
    return serve(settings)


@pytest.fixture
def client(shared: TestClient) -> TestClient:
    """A client with the unlimited key, of the application that all tests share."""
    return another_client(shared, **{"X-API-Key": "good-key"})


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ARTIFACT / "manifest.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture
def features(manifest: dict[str, Any]) -> dict[str, float]:
    """Valid features: those of the manifest's sample."""
    return dict(manifest["sample"]["input"])


def error_of(response: Any, status: int) -> dict[str, Any]:
    """Assert that a response is an error in the one schema, and return its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert body.keys() == {"error"}
    detail: dict[str, Any] = body["error"]
    assert detail.keys() == {"code", "field", "message", "request_id"}
    assert detail["code"]
    assert detail["message"]
    assert detail["request_id"] == response.headers["x-request-id"]
    return detail


@pytest.fixture
def expect_error() -> Callable[[Any, int], dict[str, Any]]:
    return error_of
