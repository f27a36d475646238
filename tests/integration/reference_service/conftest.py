"""The reference service as a container, as locked up as its README says, and as a process of this machine."""

import hashlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis_server
from local_processes import free_port, kill
from own_containers import LOCKED_UP, readable
from raw_http import post_head

import reference_service

ARTIFACT = Path(reference_service.__file__).parent / "artifacts" / "breast-cancer"
ARTIFACT_INSIDE = "/opt/app/reference_service/artifacts/breast-cancer"
KEYS_INSIDE = "/run/keys.json"
ROOT = Path(reference_service.__file__).parents[1]
READY_TIMEOUT_S = 30
ANSWER_TIMEOUT_S = 15


@dataclass(frozen=True)
class Service:
    """A container that is ready, and a client with a valid key."""

    container: Any
    client: httpx.Client
    startup_s: float


@pytest.fixture(scope="session")
def key():
    return secrets.token_hex(16)


@pytest.fixture(scope="session")
def keys_file(tmp_path_factory, key):
    entry = {
        "id": "tester",
        "sha256": hashlib.sha256(key.encode()).hexdigest(),
        "scopes": ["predict", "metadata"],
    }
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(json.dumps({"keys": [entry]}))
    return readable(path)


@pytest.fixture(scope="session")
def created(engine, reference_image, keys_file):
    """Creates one on its own artifact or another, for the caller to start; removes it in the end.

    `files` are mounted, by their paths inside.
    """

    @contextmanager
    def make(*, artifact=None, environment=None, files=None, **options):
        mounts = {KEYS_INSIDE: keys_file} | ({ARTIFACT_INSIDE: artifact} if artifact else {}) | (files or {})
        container = engine.containers.create(
            reference_image,
            ports={"8000/tcp": ("127.0.0.1", None)},
            environment={"SERVICE_API_KEYS_FILE": KEYS_INSIDE, **(environment or {})},
            volumes={str(source): {"bind": target, "mode": "ro"} for target, source in mounts.items()},
            **LOCKED_UP,
            **options,
        )
        try:
            yield container
        finally:
            container.remove(force=True, v=True)

    return make


@pytest.fixture(scope="session")
def serving(created, key):
    """Starts a service and waits until it is ready."""

    @contextmanager
    def start(**options):
        with created(**options) as container:
            begun = time.monotonic()
            container.start()
            container.reload()
            port = container.ports["8000/tcp"][0]["HostPort"]
            headers = {"X-API-Key": key}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
                while not is_ready(client):
                    container.reload()
                    assert container.status == "running", container.logs().decode()
                    assert time.monotonic() - begun < READY_TIMEOUT_S, container.logs().decode()
                    time.sleep(0.05)
                yield Service(container, client, time.monotonic() - begun)

    return start


@dataclass(frozen=True)
class Process:
    """A service that is ready, as a process of this machine."""

    process: subprocess.Popen
    port: int

    def peak_bytes(self):
        """The most memory it ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.fixture(scope="session")
def process(keys_file):
    """Starts the service as a process, by another command if given; kills it in the end."""

    @contextmanager
    def start(command=(sys.executable, "-m", "reference_service"), **settings):
        settings = {"artifact": ARTIFACT, "host": "127.0.0.1", "api_keys_file": keys_file} | settings
        environment = {f"SERVICE_{name.upper()}": str(value) for name, value in settings.items()}
        started = subprocess.Popen(
            command,
            # No GPU, whatever this machine has.
            env={"PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield started
        finally:
            kill(started)
            started.stdout.close()

    return start


@pytest.fixture(scope="session")
def running(process):
    """Starts the service as a process and waits until it is ready."""

    @contextmanager
    def start(**settings):
        port = free_port()
        with process(port=port, **settings) as started:
            deadline = time.monotonic() + READY_TIMEOUT_S
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                while not is_ready(client):
                    assert started.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield Process(started, port)

    return start


def whole(connection):
    """Read until the other side closes."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


@pytest.fixture
def drain(key):
    """Ends a service while it reads bodies: it takes no more requests, and answers those that it has."""

    def check(port, features, end, *, in_flight):
        body = json.dumps({"features": features}).encode()
        more = ["Expect: 100-continue", "Connection: close"]
        head = post_head("/predict", len(body), key=key, more=more)
        with ExitStack() as stack:
            connections = [
                stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=ANSWER_TIMEOUT_S))
                for _ in range(in_flight)
            ]
            for connection in connections:
                connection.sendall(head)
                assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # it reads the body
                connection.sendall(body[:100])
            end()
            deadline = time.monotonic() + ANSWER_TIMEOUT_S
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                while is_ready(client):
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            for connection in connections:
                connection.sendall(body[100:])
                assert whole(connection).startswith(b"HTTP/1.1 200 ")

    return check


def is_ready(client):
    try:
        return client.get("/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def service(serving):
    """A service that the tests of one file share."""
    with serving() as started:
        yield started


@pytest.fixture
def artifact(tmp_path):
    """A copy of the artifact that a test may damage, readable inside a container."""
    folder = Path(shutil.copytree(ARTIFACT, tmp_path / "artifact"))
    for path in (folder, *folder.iterdir()):
        readable(path)
    return folder


@pytest.fixture(scope="session")
def features():
    """Features that the model takes: those of the manifest's sample."""
    return json.loads((ARTIFACT / "manifest.json").read_text())["sample"]["input"]


@pytest.fixture(scope="session")
def predict_request(key, features):
    """A whole request for a prediction, as bytes."""
    body = json.dumps({"features": features}).encode()
    return post_head("/predict", len(body), key=key) + body


@pytest.fixture(scope="session")
def redis_image(build_image):
    return build_image("redis", redis_server.DOCKERFILE)


@pytest.fixture(scope="module")
def shared_redis(engine, redis_image):
    with redis_server.redis_server(engine, redis_image) as server:
        yield server


@pytest.fixture
def redis(shared_redis):
    """The Redis of one file, running and empty, whatever the test before did to it."""
    shared_redis.container.start()
    shared_redis.until_it_answers()
    shared_redis.command("FLUSHALL")
    return shared_redis


@pytest.fixture(scope="session")
def monitoring():
    """The folder of rules, dashboard and runbook."""
    return Path(reference_service.__file__).parent / "monitoring"


@pytest.fixture(scope="session")
def prometheus_image(build_image):
    """Prometheus and promtool, of Debian's package."""
    dockerfile = (
        "FROM ${BASE}\n"
        "RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus "
        "&& rm -rf /var/lib/apt/lists/*\n"
        'USER 10001:10001\nENTRYPOINT ["prometheus"]\n'
    )
    return build_image("prometheus", dockerfile)
