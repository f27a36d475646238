"""Candidates that harm the machine they run on, or try to get out: bounded, told, and gone afterwards."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hostile_cases import MANIFESTS
from workflow_commands import ANNOTATIONS, commands_in

pytestmark = pytest.mark.engine

MIB = 1024 * 1024
LABELS = {"harness.test.hostile": ""}
FORMATS = ("html", "markdown", "junit", "json", "github")
LISTENS = """
import socket
server = socket.create_server(("0.0.0.0", 8080))
print("listening", flush=True)
while True:
    print("reached by", server.accept()[1], flush=True)
"""
DRAIN = """
[lifecycle.drain]
wait_s = 3

[lifecycle.limits]
exit_s = 2
"""
ARTIFACT = """
[artifact]
folder = "/artifact"
files = "/files"
model = "/model"
largest_mib = 64

[artifact.onnx]
timeout_s = 20
"""


def outcomes(seen):
    return {check["id"]: check["outcome"] for check in seen.report["checks"]}


def running(*words):
    """Ids of the processes of this machine whose command line begins so, whatever they run in."""
    wanted = "\0".join(words).encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(wanted):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def gone_within(seconds, *words):
    give_up = time.monotonic() + seconds
    while running(*words) and time.monotonic() < give_up:
        time.sleep(0.1)
    return not running(*words)


def free_bytes(engine):
    """Where the engine keeps its containers, if this user may look."""
    folder = os.statvfs(engine.info()["DockerRootDir"])
    return folder.f_bavail * folder.f_frsize


@pytest.mark.slow
def test_one_that_logs_a_gigabyte(gated, hostile_image, suite, engine):
    """What it wrote first is lost, so that nobody can say that no secret was in it."""
    before = free_bytes(engine)
    image = hostile_image("logs_a_gigabyte")
    seen = gated(image, suite(), "--only", "scenarios.auth", declared="inconclusive", case="logs_a_gigabyte")
    assert "too long to be kept" in seen.finding("scenarios.auth.secrets")["message"]
    assert len(seen.candidates_log()) <= 4 * 256 * 1024
    assert free_bytes(engine) > before - 900 * MIB


@pytest.mark.slow
def test_one_that_forks_without_end(gated, hostile_image, suite):
    gated(hostile_image("forks"), suite(), "--only", "golden", declared="reject", case="forks")
    assert gone_within(10, "python3", "hostile.py", "forks")


@pytest.mark.slow
def test_one_that_eats_memory_to_its_limit(gated, hostile_image, suite):
    image = hostile_image("eats_memory")
    seen = gated(image, suite(), "--only", "golden", declared="reject", case="eats_memory")
    assert seen.finding("lifecycle.target.alive")["outcome"] == "fail"
    assert gone_within(10, "python3", "hostile.py", "eats_memory")


@pytest.mark.slow
def test_one_that_fills_its_disk(gated, hostile_image, suite):
    """Its root and the volume that its image declares are read-only, the rest is memory of its own."""
    image = hostile_image("fills_its_disk", lines=["USER 0:0", 'VOLUME ["/volume"]'])
    seen = gated(image, suite(), "--only", "golden", declared="reject", case="fills_its_disk")
    told = re.findall(r"^(/\S*): (\d+) bytes, (.+)$", seen.candidates_log(), re.MULTILINE)
    written = {folder: (int(number), end) for folder, number, end in told}
    assert written.keys() == {"/", "/srv", "/volume", "/tmp", "/dev/shm"}
    for folder in ("/", "/srv", "/volume"):
        assert written[folder] == (0, "Read-only file system")
    for folder in ("/tmp", "/dev/shm"):
        number, end = written[folder]
        assert number <= 64 * MIB
        assert end == "No space left on device"


@pytest.mark.slow
def test_one_that_fills_its_root_where_that_can_be_written(gated, hostile_image, suite, engine):
    before = free_bytes(engine)
    image = hostile_image("fills_its_root", lines=["USER 0:0"])
    config = suite(changes={"read_only_root = true": "read_only_root = false"})
    seen = gated(image, config, "--only", "golden", declared="reject", case="fills_its_root")
    message = seen.finding("lifecycle.target.ready")["message"]
    told = re.search(r"it wrote (\d+) bytes to its disk, allowed are (\d+)", message)
    written, allowed = map(int, told.groups())
    assert allowed == 256 * MIB < written < 4096 * MIB
    assert free_bytes(engine) > before - 900 * MIB


@pytest.mark.slow
def test_one_that_ignores_sigterm(gated, hostile_image, suite):
    image = hostile_image("is_deaf")
    config = suite(DRAIN)
    seen = gated(image, config, "--only", "lifecycle.drain", declared="reject", case="is_deaf")
    assert "it had not ended" in seen.finding("lifecycle.drain.exit")["message"]
    assert gone_within(10, "python3", "hostile.py", "is_deaf")


@pytest.mark.slow
def test_one_that_prints_workflow_commands_and_terminal_escapes(gated, hostile_image, suite):
    """Nothing that it wrote acts: not on the terminal, not on a runner, in no format of the report."""
    image = hostile_image("prints_commands")
    families = ("--only", "golden", "--only", "contract", "--only", "scenarios.auth")
    seen = gated(image, suite(), *families, declared="reject", case="prints_commands", GITHUB_ACTIONS="true")
    assert "owned" in seen.candidates_log()
    assert list(commands_in(seen.stdout + seen.stderr)) == []
    texts = {"stdout": seen.stdout, "stderr": seen.stderr}
    for name in FORMATS:
        command = [sys.executable, "-m", "harness", "report", str(seen.path), "--format", name]
        shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        texts[name] = shown.stdout
    for name, text in texts.items():
        assert not {"\x1b", "\x07", "\x9b"} & set(text), name
    assert "<script>" not in texts["html"]
    given = list(commands_in(texts["github"]))
    assert 0 < len(given) <= 10
    assert {command.name for command in given} <= ANNOTATIONS
    assert all("file" not in command.properties for command in given)


def default_gateway():
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        _interface, destination, gateway, *_ = line.split()
        if destination == "00000000":
            return ".".join(str(octet) for octet in reversed(bytes.fromhex(gateway)))
    return "192.0.2.1"


@contextmanager
def neighbour(engine, image):
    """A container in a network of its own that tells who reaches it; gives its address."""
    network = engine.networks.create(f"harness-test-neighbour-{os.getpid()}", labels=LABELS)
    try:
        container = engine.containers.run(
            image, ["python3", "-c", LISTENS], network=network.name, labels=LABELS, detach=True
        )
        try:
            give_up = time.monotonic() + 20
            while b"listening" not in container.logs() and time.monotonic() < give_up:
                time.sleep(0.1)
            container.reload()
            yield container, container.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"]
        finally:
            container.remove(force=True, v=True)
    finally:
        network.remove()


@pytest.mark.slow
def test_one_that_calls_out(gated, hostile_image, suite, engine, base_image):
    """Another container, the router, the world, a name: nothing of it is reached."""
    with neighbour(engine, base_image) as (container, address):
        outside = f"{address}:8080 {default_gateway()}:9 1.1.1.1:53 1.1.1.1:443 192.0.2.1:80"
        config = suite(changes={"ready_timeout_s = 6": "ready_timeout_s = 60"}, OUTSIDE=outside)
        image = hostile_image("calls_out")
        seen = gated(image, config, "--only", "golden", declared="reject", case="calls_out")
        reached = container.logs().decode()
    told = seen.candidates_log()
    assert told.count("\n") == len(outside.split()) + 2
    assert "REACHED" not in told
    assert "ConnectionRefusedError" not in told  # which is an answer
    assert reached.splitlines() == ["listening"]


def test_one_that_reaches_for_the_engine(gated, hostile_image, suite):
    socket_path = urlsplit(os.environ["DOCKER_HOST"]).path
    config = suite(ENGINE=socket_path, PID=str(os.getpid()))
    image = hostile_image("reaches_for_the_engine", lines=["USER 0:0"])
    seen = gated(image, config, "--only", "golden", declared="reject", case="reaches_for_the_engine")
    told = seen.candidates_log()
    assert f"{socket_path}: " in told
    assert told.count("\n") == 15
    assert "REACHED" not in told


def manifest(**more):
    """One whose names lead everywhere; what is right of it has the right digest."""
    content = b"no ONNX"
    names = [
        *("../escaped", "../../../../../../etc/passwd", "/etc/shadow", "a/../../escaped", "./model.onnx"),
        *("link", "a\\..\\b", "nul\0byte", ".", "", "model.onnx/x"),
    ]
    digest = hashlib.sha256(content).hexdigest()
    files = dict.fromkeys(names, digest) | {"model.onnx": digest}
    return json.dumps({"model": "model.onnx", "files": files, **more})


@pytest.mark.slow
@pytest.mark.parametrize("model", MANIFESTS)
def test_one_whose_manifest_leads_out_of_its_folder(gated, hostile_image, suite, tmp_path, model):
    lines = [
        "USER 0:0",
        "COPY manifest.json model.onnx /artifact/",
        "RUN ln -s /etc/passwd /artifact/link && ln -s / /artifact/root",
        "USER 10001:10001",
    ]
    files = {"manifest.json": manifest(model=model), "model.onnx": "no ONNX"}
    image = hostile_image("sound", f"manifest-{hashlib.sha256(model.encode()).hexdigest()[:6]}", lines, files)
    config = suite(ARTIFACT)
    before = {path for path in tmp_path.rglob("*") if "gate" not in path.parts}
    seen = gated(image, config, "--only", "artifact", declared="reject", case=f"manifest with {model}")
    refused = seen.finding("artifact.manifest.files")
    assert refused["outcome"] == "fail"
    assert "is no path inside the folder" in refused["message"]
    assert outcomes(seen)["artifact.model"] == "fail"
    assert {path for path in tmp_path.rglob("*") if "gate" not in path.parts} == before
    assert not list(tmp_path.rglob("escaped"))
    assert "root:x:" not in "".join(
        path.read_text(errors="replace") for path in seen.reports.rglob("*") if path.is_file()
    )
