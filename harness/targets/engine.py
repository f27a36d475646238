"""Finds the container engine, and removes what a killed run left in it."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests
from docker.context import ContextAPI
from testcontainers.core.config import testcontainers_config

from harness.errors import InfrastructureError
from harness.owner import Owner
from harness.targets.gpu import GpuAccess, gpu_access

OWNER_LABEL = "io.harness.owner"
RUN_LABEL = "io.harness.run"
PRIVATE_ENGINE = Path(".engine", "docker_host")
DEFAULT_SOCKET = "unix:///var/run/docker.sock"
PING_TIMEOUT_S = 5
CALL_TIMEOUT_S = 120
INSTALL = "start one (`make engine` on Debian as root, or install Docker Engine) or set DOCKER_HOST"


@dataclass(frozen=True)
class Engine:
    """A reachable engine.

    Attributes:
        client: docker-py's client.
        host: Its URL.
        version: As the engine says it (``20.10.24``).
    """

    client: docker.DockerClient
    host: str
    version: str

    def gpu_access(self) -> GpuAccess | None:
        """How it can hand a GPU to a container, None if it can't."""
        return gpu_access(self.client.info())

    def remove_containers(self, run_id: str) -> None:
        """Remove the containers of a run of this machine, by whomever they were started."""
        of_run = {"label": f"{RUN_LABEL}={run_id}"}
        for container in self.client.containers.list(all=True, filters=of_run, ignore_removed=True):
            with contextlib.suppress(docker.errors.APIError):
                container.remove(force=True, v=True)

    def remove_orphans(self) -> list[str]:
        """Remove containers, networks and volumes of dead runs on this machine; return their names."""
        removed = []
        mine = {"label": OWNER_LABEL}
        for container in self.client.containers.list(all=True, filters=mine, ignore_removed=True):
            if Owner.parse(container.labels.get(OWNER_LABEL, "")).is_gone():
                with contextlib.suppress(docker.errors.APIError):
                    container.remove(force=True, v=True)
                    removed.append(container.name)
        for network in self.client.networks.list(filters=mine):
            labels = network.attrs.get("Labels") or {}
            if Owner.parse(labels.get(OWNER_LABEL, "")).is_gone():
                with contextlib.suppress(docker.errors.APIError):
                    network.remove()
                    removed.append(network.name)
        for volume in self.client.volumes.list(filters=mine):
            labels = volume.attrs.get("Labels") or {}
            if Owner.parse(labels.get(OWNER_LABEL, "")).is_gone():
                with contextlib.suppress(docker.errors.APIError):
                    volume.remove(force=True)
                    removed.append(volume.name)
        return removed


def find_engine(start: Path, environ: Mapping[str, str]) -> Engine | None:
    """The engine of ``DOCKER_HOST``, the Docker context, a default socket, or a private one.

    The same rules as in ``scripts/find_engine.py``. None if none answers. The one found is put into this
    process's ``DOCKER_HOST``, where testcontainers looks.

    Args:
        start: A private engine is looked for in ``.engine/`` here and in the folders above.
        environ: For ``DOCKER_HOST``, ``DOCKER_CONTEXT`` and ``XDG_RUNTIME_DIR``.

    Raises:
        InfrastructureError: when ``DOCKER_HOST`` names an engine that does not answer, or one on another
            machine: published ports and mounted files would be there, not here.
    """
    explicit = environ.get("DOCKER_HOST")
    if explicit:
        if not explicit.startswith("unix://"):
            raise InfrastructureError(
                f"DOCKER_HOST={explicit}: the engine has to be on this machine",
                fix="use a unix:// socket, or unset DOCKER_HOST",
            )
        engine = _connect(explicit)
        if engine is None:
            raise InfrastructureError(
                f"DOCKER_HOST={explicit}: no engine answers there", fix="start it, or unset DOCKER_HOST"
            )
        return engine
    return next((engine for host in _hosts(start, environ) if (engine := _connect(host)) is not None), None)


def _hosts(start: Path, environ: Mapping[str, str]) -> Iterator[str]:
    with contextlib.suppress(Exception):  # a damaged Docker configuration is no reason to stop looking
        context: Any = ContextAPI.get_context(environ.get("DOCKER_CONTEXT") or None)
        if context is not None and context.name != "default" and str(context.Host).startswith("unix://"):
            yield context.Host
    yield DEFAULT_SOCKET
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield f"unix://{runtime}/docker.sock"  # a rootless engine
    for folder in (start.absolute(), *start.absolute().parents):
        private = folder / PRIVATE_ENGINE
        if private.is_file():
            yield private.read_text(encoding="utf-8").strip()


def _connect(host: str) -> Engine | None:
    socket = Path(host.removeprefix("unix://"))
    if not socket.exists():
        return None
    try:
        probe = docker.DockerClient(base_url=host, timeout=PING_TIMEOUT_S)
        version = str(probe.version()["Version"])
        probe.close()
    except (docker.errors.DockerException, requests.RequestException, OSError):
        return None
    os.environ["DOCKER_HOST"] = host
    testcontainers_config.ryuk_disabled = (
        True  # labels and remove_orphans do its work, without a further image
    )
    testcontainers_config.tc_host_override = "127.0.0.1"
    return Engine(
        client=docker.DockerClient(base_url=host, timeout=CALL_TIMEOUT_S), host=host, version=version
    )
