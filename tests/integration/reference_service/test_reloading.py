"""Keys are changed under running workers: each of them follows, and a broken file changes nothing."""

import hashlib
import json
import time

import httpx
import pytest

from reference_service.access.mounted import CHECK_INTERVAL_S

REQUESTS = 30
"""Each on a connection of its own, so that both workers answer some."""


@pytest.fixture
def keys(tmp_path):
    """Replaces the mounted file, as an orchestrator does, and waits until every worker looks again."""
    path = tmp_path / "keys.json"

    def replace(content):
        new = tmp_path / "new.json"
        new.write_text(content)
        new.rename(path)
        time.sleep(CHECK_INTERVAL_S + 0.1)

    replace(of("former"))
    return path, replace


def of(*secrets, **limits):
    return json.dumps(
        {
            "keys": [
                {
                    "id": secret,
                    "sha256": hashlib.sha256(secret.encode()).hexdigest(),
                    "scopes": ["metadata"],
                    **limits,
                }
                for secret in secrets
            ]
        }
    )


def test_every_worker_follows_the_keys_file(running, keys):
    path, replace = keys
    with (
        running(api_keys_file=path, workers=2, rate_limit_without_redis="local") as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):

        def statuses(secret):
            headers = {"X-API-Key": secret, "Connection": "close"}
            return {client.get("/metadata", headers=headers).status_code for _ in range(REQUESTS)}

        assert (statuses("former"), statuses("next")) == ({200}, {401})
        replace(of("former", "next"))
        assert (statuses("former"), statuses("next")) == ({200}, {200})
        replace("{")
        assert (statuses("former"), statuses("next"), statuses("other")) == ({200}, {200}, {401})
        replace(of("former", revoked=True))
        assert (statuses("former"), statuses("next")) == ({401}, {401})
