"""The containers that a probe starts itself: ready or ended, with a key that may predict, and removed."""

import json
from pathlib import Path

import docker.errors
import httpx
import pytest

pytestmark = pytest.mark.engine

CATALOGUE = Path(__file__).resolve().parents[3] / "scenarios" / "selftest"
MODEL = "/opt/app/reference_service/artifacts/breast-cancer/model.onnx"
NETWORK = "harness-test-probing"


@pytest.fixture(scope="module")
def starter(engine, reference_image):
    """Starts containers of the reference image in a network of their own."""
    network = engine.networks.create(NETWORK)
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.syspath_prepend(CATALOGUE)
            from containers import Starter  # noqa: PLC0415 - found only here

            image_id = engine.images.get(reference_image).id
            yield Starter(engine, image_id, NETWORK, {"io.harness.test.probing": "1"})
    finally:
        network.remove()


def removed(own):
    try:
        own.container.reload()
    except docker.errors.NotFound:
        return True
    return False


def test_it_predicts_and_is_removed(starter):
    with starter() as own:
        assert own.ready()
        with own.client() as client:
            allowed = client.post("/predict", headers=own.headers, json={})
            stranger = client.post("/predict", json={})
    assert (allowed.status_code, stranger.status_code) == (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED)
    assert json.loads(allowed.text)["error"]["code"] == "missing_field"
    assert removed(own)


def test_one_that_refuses_to_start_is_not_ready(starter):
    with starter({MODEL: b"another model"}) as own:
        assert not own.ready()
    assert removed(own)
