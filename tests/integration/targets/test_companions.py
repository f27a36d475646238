"""Companions and replicas: on one network with the service, found by name, bounded, removed with it."""

import json
import secrets

import httpx
import pytest

from harness.config.service import ServiceSettings
from harness.errors import InfrastructureError
from harness.targets.companion import Companions
from harness.targets.container import ContainerTarget
from harness.targets.image import find_image

pytestmark = pytest.mark.engine

BESIDE = {"port": 8080, "environment": {"PORT": "8080"}, "memory": "64m", "pids": 32}


@pytest.fixture
def start(found_engine, tiny_image, left_behind, temporary):
    """Starts the tiny service with another of it beside; nothing of it may be left."""
    tokens = []
    image_id = find_image(found_engine, tiny_image).image_id

    def make(*, beside=None, **service):
        tokens.append(secrets.token_hex(3))
        settings = {
            "port": 8080,
            "ready_path": "/ready",
            "memory": "64m",
            "pids": 32,
            "environment": {"PORT": "${port}"},
            "companions": {"store": {"image": tiny_image, **BESIDE, **(beside or {})}},
            "start_with": ["store"],
        }
        return ContainerTarget(
            engine=found_engine,
            image=find_image(found_engine, tiny_image),
            service=ServiceSettings.model_validate(settings | service),
            values={"key.store": "a-secret"},
            run_id=tokens[-1],
            companions=Companions(found_engine, lambda _name: image_id, {"key.store": "a-secret"}),
        )

    yield make
    for token in tokens:
        assert left_behind(token=token) == []
    assert list(temporary.iterdir()) == []


def reaches(endpoint, url_index=0):
    """Whether the service has a connection to its companion."""
    question = {"host": "store", "port": 8080}
    return httpx.get(f"{endpoint.base_urls[url_index]}/connect", params=question, timeout=20).json()["result"]


def test_the_service_finds_it_by_name_until_it_is_stopped(start):
    with start() as endpoint:
        assert reaches(endpoint) == "connected"
        endpoint.companions["store"].act("stop")
        assert reaches(endpoint) != "connected"
        endpoint.companions["store"].act("start")
        assert reaches(endpoint) == "connected"


def test_a_paused_one_still_has_its_place(start):
    with start() as endpoint:
        endpoint.companions["store"].act("pause")
        endpoint.companions["store"].act("unpause")
        assert reaches(endpoint) == "connected"


def test_it_is_bounded_as_a_candidate_is(start, found_engine):
    files = {"key": {"path": "/run/secrets/key", "content": "${key.store}"}}
    with start(beside={"files": files, "tmpfs": ["/tmp"], "user": "10002:10002"}) as endpoint:
        name = found_engine.client.api.inspect_container(endpoint.container_id)["Name"].lstrip("/")
        inspected = found_engine.client.containers.get(f"{name}-store").attrs
    host = inspected["HostConfig"]
    assert (host["CapDrop"], host["SecurityOpt"]) == (["ALL"], ["no-new-privileges"])
    assert host["ReadonlyRootfs"]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (64 * 2**20, 64 * 2**20, 32)
    assert list(host["Tmpfs"]) == ["/tmp"]
    assert inspected["Config"]["User"] == "10002:10002"
    assert {binding["HostIp"] for binding in host["PortBindings"]["8080/tcp"]} == {"127.0.0.1"}
    assert "a-secret" not in json.dumps(inspected)


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"command": ["exit"]}, "companion store: .*exit code 3.* no model file"),
        ({"port": 9, "ready_timeout_s": 0.5}, "port 9 took no connection"),
        ({"user": "nobody-of-this-name"}, "companion store: "),
    ],
)
def test_one_that_is_not_ready_is_no_fault_of_the_candidate(start, beside, message):
    with pytest.raises(InfrastructureError, match=message), start(beside=beside):
        pass


def test_replicas_have_addresses_of_their_own_and_share_what_stands_beside(start):
    with start(replicas=2) as endpoint:
        assert len(set(endpoint.base_urls)) == 2
        assert endpoint.base_urls[0] == endpoint.base_url
        assert [reaches(endpoint, number) for number in range(2)] == ["connected"] * 2
        assert endpoint.alive()
