"""Containers that probes look into, and those that they start themselves: to end them, or to see a start."""

import hashlib
import io
import json
import secrets
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NoReturn

import docker
import httpx
from docker.models.containers import Container
from probing import TIMEOUT_S, Given, differs

PORT = "8000/tcp"
KEYS = "/tmp/api_keys.json"
POLL_S = 0.05
READY_S = 20.0
SETTLE_S = 2.0


@dataclass(frozen=True)
class Own:
    """A container of the probe's own, of which nobody knows but the probe.

    Attributes:
        headers: With a key that may predict.
    """

    container: Container
    headers: Mapping[str, str]

    @property
    def port(self) -> int:
        """On which it is reached at the loopback address."""
        self.container.reload()
        return int(self.container.attrs["NetworkSettings"]["Ports"][PORT][0]["HostPort"])

    def runs(self) -> bool:
        """Whether it has not ended."""
        self.container.reload()
        return bool(self.container.status == "running")

    def ready(self) -> bool:
        """Wait until it says that it is ready; false if it ends before that.

        Raises:
            TimeoutError: It does neither.
        """
        give_up = time.monotonic() + READY_S
        while time.monotonic() < give_up:
            if not self.runs():
                return False
            with suppress(httpx.HTTPError), self.client(timeout=2) as client:
                if client.get("/ready").status_code == httpx.codes.OK:
                    return True
            time.sleep(POLL_S)
        raise TimeoutError(f"neither ready nor ended within {READY_S:g} s")

    def client(self, timeout: float = TIMEOUT_S) -> httpx.Client:
        """A client of it."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=timeout, trust_env=False)


@dataclass(frozen=True)
class Starter:
    """Starts containers of one image, beside the entry's: in its network, with its labels."""

    engine: docker.DockerClient
    image_id: str
    network: str
    labels: Mapping[str, str]

    @contextmanager
    def __call__(self, files: Mapping[str, bytes] | None = None) -> Iterator[Own]:
        """Start one and remove it in the end; ``files`` are put into it before, by their paths."""
        key = secrets.token_hex(16)
        holder = {"id": "probe", "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": ["predict"]}
        container = self.engine.containers.create(
            self.image_id,
            environment={"SERVICE_API_KEYS_FILE": KEYS},
            labels=dict(self.labels),
            network=self.network,
            ports={PORT: ("127.0.0.1", None)},
            mem_limit="256m",
            pids_limit=64,
        )
        try:
            for path, content in {KEYS: json.dumps({"keys": [holder]}).encode(), **(files or {})}.items():
                container.put_archive("/", _packed(path, content))
            container.start()
            yield Own(container, {"X-API-Key": key})
        finally:
            container.remove(force=True, v=True)


def prove_of_starts(told: Given, shows: Callable[[Starter, httpx.Client], bool], what: str) -> NoReturn:
    """End by what further containers of each of the two images show, beside the service that was given."""
    with (
        told.engine() as engine,
        told.client(told.base_url) as entry,
        told.client(told.healthy_url) as healthy,
    ):
        beside = engine.containers.get(told.container_id)
        network = next(iter(beside.attrs["NetworkSettings"]["Networks"]))
        of_entry, of_healthy = (
            Starter(engine, image_id, network, beside.labels)
            for image_id in (told.image_id, told.healthy_image_id)
        )
        differs(shows(of_entry, entry), shows(of_healthy, healthy), what)


def prove_of_containers(told: Given, shows: Callable[[Container, httpx.Client], bool], what: str) -> NoReturn:
    """End by what the containers of the two services show while they are asked."""
    with (
        told.engine() as engine,
        told.client(told.base_url) as entry,
        told.client(told.healthy_url) as healthy,
    ):
        differs(
            shows(engine.containers.get(told.container_id), entry),
            shows(serving(engine, told.healthy_url), healthy),
            what,
        )


def serving(engine: docker.DockerClient, base_url: str) -> Container:
    """The container that a port of this machine leads to."""
    port = httpx.URL(base_url).port
    for each in engine.api.containers():
        if any(published.get("PublicPort") == port for published in each["Ports"] or ()):
            return engine.containers.get(each["Id"])
    raise LookupError(f"no container is behind {base_url}")


def log_with(container: Container, text: str) -> str:
    """What it wrote, once ``text`` is in it; without it after a moment."""
    give_up = time.monotonic() + SETTLE_S
    while True:
        log = container.logs().decode(errors="replace")
        if text in log or time.monotonic() > give_up:
            return str(log)
        time.sleep(POLL_S)


def held_bytes(container: Container) -> int:
    """Anonymous memory of it, under the name that either version of control groups gives it."""
    told = container.stats(stream=False)["memory_stats"]["stats"]
    return int(told.get("anon", told.get("total_rss", 0)))


def cpu_s(container: Container) -> float:
    """CPU time that it has used."""
    return int(container.stats(stream=False)["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9


def processes(container: Container) -> int:
    """How many run in it."""
    return len(container.top()["Processes"])


def _packed(path: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode = len(content), 0o644
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
