"""What a container may do: nothing that the suite does not grant it."""

import json
import secrets
import threading
from pathlib import Path

import httpx
import pytest

from harness.config.service import ServiceSettings
from harness.targets.container import ContainerTarget
from harness.targets.container_state import engine_cpu_s
from harness.targets.engine import RUN_LABEL
from harness.targets.image import find_image

pytestmark = pytest.mark.engine

SECRET = "a-secret-of-this-run"
FILES = {"key": {"path": "/run/secrets/key", "content": "${key.caller}"}}


@pytest.fixture(scope="module")
def standing(found_engine, tiny_image):
    """One container for all that only look at it; it has the suite's usual bounds and a handed file."""
    service = {
        "port": 8080,
        "ready_path": "/ready",
        "memory": "64m",
        "pids": 32,
        "environment": {"PORT": "${port}"},
        "files": FILES,
    }
    target = ContainerTarget(
        engine=found_engine,
        image=find_image(found_engine, tiny_image),
        service=ServiceSettings.model_validate(service),
        values={"key.caller": SECRET},
        run_id=secrets.token_hex(3),
    )
    with target as endpoint:
        yield endpoint


def ask(endpoint, door, **question):
    return httpx.get(f"{endpoint.base_url}/{door}", params=question, timeout=20).json()


def inspected(engine, endpoint):
    return engine.api.inspect_container(endpoint.container_id)


def address(engine, endpoint):
    """Its address on its own bridge."""
    (network,) = inspected(engine, endpoint)["NetworkSettings"]["Networks"].values()
    return network["IPAddress"]


def watchers():
    return {thread for thread in threading.enumerate() if thread.name == "disk-bound"}


@pytest.mark.parametrize(("read_only", "watched"), [(True, 0), (False, 1)])
def test_nothing_looks_at_a_disk_that_cannot_be_written(target, read_only, watched):
    """It would ask the engine beside what is measured."""
    before = watchers()
    with target(read_only_root=read_only):
        assert len(watchers() - before) == watched
    assert watchers() <= before


def test_it_has_no_capability_and_gains_none(standing):
    status = ask(standing, "status")
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_even_root_inside_has_no_capability(target, tiny_variant):
    with target(image=tiny_variant("USER 0:0")) as endpoint:
        status = ask(endpoint, "status")
    assert status["Uid"].split()[0] == "0"
    assert int(status["CapEff"], 16) == 0


def test_processes_and_threads_are_bounded(standing):
    assert ask(standing, "threads", count=100)["started"] < 32
    assert standing.alive()


def test_memory_is_bounded_without_swap(standing, engine):
    host = inspected(engine, standing)["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 64 * 1024 * 1024


def test_the_memory_that_it_holds_is_told(target):
    with target() as endpoint:
        before = endpoint.memory_bytes()
        ask(endpoint, "hold", bytes=16 * 1024 * 1024)
        grown = endpoint.memory_bytes() - before
    assert before > 1024 * 1024
    assert 15 * 1024 * 1024 < grown < 24 * 1024 * 1024


def test_the_cpu_time_that_it_uses_is_told_by_the_kernel_and_by_the_engine(target, engine):
    with target() as endpoint:
        before = endpoint.cpu_s()
        ask(endpoint, "spin", cpu_s=0.5)
        used_s = endpoint.cpu_s() - before
        by_engine_s = engine_cpu_s(engine.containers.get(endpoint.container_id))
    assert before > 0
    assert 0.5 <= used_s < 0.55
    assert by_engine_s == pytest.approx(before + used_s, rel=0.05)


def test_cpu_is_bounded_and_bound(target, engine):
    with target(cpus=0.5, cpuset="0") as endpoint:
        host = inspected(engine, endpoint)["HostConfig"]
        allowed = ask(endpoint, "status")["Cpus_allowed_list"]
    assert host["NanoCpus"] == 500_000_000
    assert allowed == "0"


def test_its_port_is_published_on_loopback_only(standing, engine):
    ports = inspected(engine, standing)["NetworkSettings"]["Ports"]
    assert [binding["HostIp"] for binding in ports["8080/tcp"]] == ["127.0.0.1"]
    assert standing.base_url == f"http://127.0.0.1:{ports['8080/tcp'][0]['HostPort']}"


def test_it_is_neither_privileged_nor_handed_the_machine(standing, engine):
    host = inspected(engine, standing)["HostConfig"]
    assert not host["Privileged"]
    assert host["NetworkMode"] != "host"
    assert (host["PidMode"], host["UsernsMode"]) == ("", "")
    assert host["IpcMode"] in ("private", "shareable", "none")
    assert all(bind.endswith(":ro") for bind in host["Binds"])
    assert not any("docker.sock" in bind for bind in host["Binds"])


def test_two_targets_have_ports_and_names_of_their_own_and_cannot_meet(target, standing, engine):
    with target() as other:
        assert standing.base_url != other.base_url
        assert inspected(engine, standing)["Name"] != inspected(engine, other)["Name"]
        theirs = address(engine, other)
        assert ask(standing, "connect", host=theirs, port=8080)["result"] != "connected"
        # Each answers at its own address, so it is the networks that keep them apart.
        assert ask(other, "connect", host=theirs, port=8080)["result"] == "connected"


def test_it_has_no_way_out(target, standing, engine):
    """What lies beyond this machine answers (even a refusal) only where egress is granted."""
    (network,) = inspected(engine, standing)["NetworkSettings"]["Networks"]
    options = engine.networks.get(network).attrs["Options"]
    assert options["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    gateway = default_gateway()
    if gateway is None:
        pytest.skip("this machine has no default route, so there is no outside to try")
    with target(egress=True) as free:
        granted = ask(free, "connect", host=gateway, port=9)["result"]
    if granted == "TimeoutError":
        pytest.skip("what lies beyond this machine does not answer even where egress is granted")
    assert ask(standing, "connect", host=gateway, port=9)["result"] == "TimeoutError"


def default_gateway():
    """Address of the next router, None where this machine has no default route."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        _interface, destination, gateway, *_ = line.split()
        if destination == "00000000":
            return ".".join(str(octet) for octet in reversed(bytes.fromhex(gateway)))
    return None


def test_a_read_only_root_cannot_be_written_but_its_tmpfs_can(target, tiny_variant):
    as_root = tiny_variant("USER 0:0")
    with target(image=as_root, read_only_root=True, tmpfs=["/scratch"]) as endpoint:
        assert ask(endpoint, "write", path="/changed")["error"] == "Read-only file system"
        assert ask(endpoint, "write", path="/scratch/file")["error"] is None
    with target(image=as_root) as endpoint:
        assert ask(endpoint, "write", path="/tmp/changed")["error"] is None


def test_a_handed_file_is_readable_as_non_root_and_not_writable(target, standing, tiny_variant):
    assert ask(standing, "status")["Uid"].split()[0] == "10001"
    assert ask(standing, "read", path="/run/secrets/key")["text"] == SECRET
    with target(image=tiny_variant("USER 0:0"), files=FILES) as endpoint:
        assert ask(endpoint, "write", path="/run/secrets/key")["error"] == "Read-only file system"


def test_the_folder_of_handed_files_is_closed_to_other_users(target, temporary):
    with target(files=FILES):
        (folder,) = temporary.glob("harness-*")
        assert folder.stat().st_mode & 0o777 == 0o700


def test_no_secret_is_in_what_the_engine_tells_of_it(standing, engine):
    attributes = inspected(engine, standing)
    assert SECRET not in json.dumps(attributes)
    assert RUN_LABEL in attributes["Config"]["Labels"]
