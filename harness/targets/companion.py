"""Containers beside the service, on its network: bounded as it is, found by their names, removed with it."""

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import docker.errors
import requests
from docker.models.networks import Network
from docker.types import LogConfig

from harness.config.companions import CompanionSettings
from harness.errors import InfrastructureError
from harness.targets.container_state import container_logs, death
from harness.targets.engine import Engine
from harness.targets.files import HandedFiles, filled_all
from harness.targets.interface import CompanionAction

POLL_S = 0.02
STAYS_OPEN_S = 0.05
STOP_TIMEOUT_S = 2
LOG_FILE_SIZE = "8m"
TMPFS_OPTIONS = "size=64m,mode=1777"
NANO = 1_000_000_000


class Companion:
    """One that runs, or was stopped.

    Args:
        name: Under ``[service.companions]``.
        container: The engine's.
        settings: How it was started.
    """

    def __init__(self, name: str, container: Any, settings: CompanionSettings) -> None:
        self._name = name
        self._container = container
        self._settings = settings

    def act(self, action: CompanionAction) -> None:
        """Stop, start, pause or unpause it; a started one is ready when this returns.

        Raises:
            InfrastructureError: when the engine fails, or it does not get ready.
        """
        try:
            if action == "stop":
                self._container.stop(timeout=STOP_TIMEOUT_S)
            else:
                getattr(self._container, action)()
        except (docker.errors.DockerException, requests.RequestException) as error:
            raise InfrastructureError(f"companion {self._name}: {action}: {error}") from error
        if action == "start":
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until a connection to its port stays open: the engine's proxy takes one before it listens.

        Raises:
            InfrastructureError: when it ends, or its time does.
        """
        deadline = time.monotonic() + self._settings.ready_timeout_s
        while not self._listens():
            ended = death(self._container)
            if ended is not None or time.monotonic() > deadline:
                waited = f"port {self._settings.port} took no connection"
                last = container_logs(self._container).strip().splitlines()[-3:]
                raise InfrastructureError(
                    f"companion {self._name}: {ended or waited}; its last lines: {' / '.join(last)[:500]}",
                    fix=f"see service.companions.{self._name} of gate.toml",
                )
            time.sleep(POLL_S)

    def _listens(self) -> bool:
        self._container.reload()
        ports = self._container.attrs["NetworkSettings"]["Ports"] or {}
        bindings = ports.get(f"{self._settings.port}/tcp")
        if not bindings:
            return False
        try:
            with socket.create_connection(("127.0.0.1", int(bindings[0]["HostPort"])), 1) as connection:
                connection.settimeout(STAYS_OPEN_S)
                return connection.recv(1) != b""
        except TimeoutError:
            return True
        except OSError:
            return False


@dataclass(frozen=True)
class Companions:
    """How a run starts them.

    Attributes:
        engine: Where.
        image_of: Finds or builds the image of one, and returns its id.
        values: Secrets for their templates.
    """

    engine: Engine
    image_of: Callable[[str], str]
    values: Mapping[str, str]

    def start(
        self,
        stack: ExitStack,
        network: Network,
        declared: Mapping[str, CompanionSettings],
        labels: Mapping[str, str],
    ) -> dict[str, Companion]:
        """Start each on the network, in order, each when the one before is ready; the stack removes them.

        Raises:
            InfrastructureError: when one is not there or not ready; that says nothing of the candidate.
        """
        started = {}
        for name, settings in declared.items():
            try:
                container = self._create(stack, network, name, settings, labels)
                container.start()
            except (docker.errors.DockerException, requests.RequestException) as error:
                raise InfrastructureError(f"companion {name}: {error}") from error
            started[name] = Companion(name, container, settings)
            started[name].wait_until_ready()
        return started

    def _create(
        self,
        stack: ExitStack,
        network: Network,
        name: str,
        settings: CompanionSettings,
        labels: Mapping[str, str],
    ) -> Any:
        files = stack.enter_context(HandedFiles(settings.files, self.values))
        paths = {f"file.{key}": file.path for key, file in settings.files.items()}
        endpoint = self.engine.client.api.create_endpoint_config(aliases=[name])
        container = self.engine.client.containers.create(
            self.image_of(name),
            list(settings.command) if settings.command is not None else None,
            name=f"{network.name}-{name}",
            environment=filled_all(settings.environment, {**self.values, **paths}),
            volumes={
                str(path): {"bind": settings.files[key].path, "mode": "ro"} for key, path in files.items()
            },
            user=settings.user,
            read_only=True,
            tmpfs=dict.fromkeys(settings.tmpfs, TMPFS_OPTIONS),
            network=network.name,
            networking_config={network.name: endpoint},
            ports={f"{settings.port}/tcp": ("127.0.0.1", None)},
            labels=dict(labels),
            mem_limit=settings.memory,
            memswap_limit=settings.memory,
            nano_cpus=int(settings.cpus * NANO),
            pids_limit=settings.pids,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            log_config=LogConfig(type="json-file", config={"max-size": LOG_FILE_SIZE, "max-file": "1"}),
        )
        stack.callback(_remove, container)
        return container


def _remove(container: Any) -> None:
    with contextlib.suppress(docker.errors.NotFound):
        container.remove(force=True, v=True)
