"""A container through testcontainers: bounded, unprivileged, on a loopback port, removed in every case."""

import contextlib
import os
import posixpath
import secrets
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import docker.errors
import requests
from docker.models.networks import Network
from docker.types import DeviceRequest, LogConfig, Mount
from docker.utils import parse_bytes
from testcontainers.core.container import DockerContainer
from testcontainers.core.exceptions import ContainerStartException

from harness.config.service import ServiceSettings
from harness.errors import InfrastructureError, TargetError
from harness.model import Scope, TargetDescription
from harness.owner import Owner
from harness.targets.companion import Companion, Companions
from harness.targets.container_state import (
    container_logs,
    control_group,
    death,
    engine_cpu_s,
    engine_memory_bytes,
    exit_code,
    log_entries,
    processes,
    terminate,
)
from harness.targets.control_group import ControlGroup
from harness.targets.disk_bound import DiskBound
from harness.targets.engine import OWNER_LABEL, RUN_LABEL, Engine
from harness.targets.engine_watch import EngineWatch
from harness.targets.files import HandedFiles, filled_all
from harness.targets.gpu import INSTALL_TOOLKIT, device_requests
from harness.targets.image import ImageIdentity
from harness.targets.interface import RemovalError, RunningProcess
from harness.targets.log import LogSearch, search
from harness.targets.own_address import own_address
from harness.targets.readiness import wait_until_ready
from harness.targets.uninterrupted import uninterrupted

LOG_FILE_BYTES = 8 * 1024 * 1024
LOG_FILES = 2
"""A log that lost its oldest entries still has one full file, and is known by that."""
TMPFS_OPTIONS = "size=64m,mode=1777"
NO_COMMAND = "no command specified"
NANO = 1_000_000_000
NO_ADDRESS = "http://127.0.0.1:0"
NO_RESOLVER = "127.0.0.1"
"""The container's own, where nothing listens; names of companions are the engine's to resolve."""


class ContainerEndpoint:
    """A container that was started, with its replicas and companions.

    Args:
        containers: The service; what is asked of one container is asked of the first.
        base_urls: Of each.
        port: That it listens on inside.
        description: What it is.
        companions: By name.
        watch: Of the engine, since before they were started.
        disks: What bounds the disk of each; empty where it can write to none.
    """

    def __init__(
        self,
        containers: Sequence[Any],
        base_urls: Sequence[str],
        port: int,
        description: TargetDescription,
        companions: Mapping[str, Companion],
        *,
        watch: EngineWatch,
        disks: Sequence[DiskBound] = (),
    ) -> None:
        self._containers = tuple(containers)
        self._container = containers[0]
        self.base_url = base_urls[0]
        self.base_urls = tuple(base_urls)
        self._port = port
        self.description = description
        self.companions = companions
        self._watch = watch
        self._disks = tuple(disks)

    def alive(self) -> bool:
        """Whether all of its containers still run, as the engine has it: who answers may be somebody else.

        Raises:
            InfrastructureError: the engine does not tell, or they do not and that may be its doing.
        """
        dead = any(death(container) for container in self._containers)
        if dead:
            self._watch.require_unbroken()
        return not dead

    def logs(self) -> str:
        """The last 256 KiB of what each of its containers wrote, and why one was killed."""
        killed = [f"killed: {disk.problem}\n" for disk in self._disks if disk.problem]
        return "".join([*(container_logs(container) for container in self._containers), *killed])

    def search_log(self, holds: Callable[[str], bool]) -> LogSearch:
        """In what each of its containers wrote, as far as the engine keeps it."""
        searches = [
            search(log_entries(container), holds, kept_bytes=LOG_FILE_BYTES) for container in self._containers
        ]
        return LogSearch(any(each.found for each in searches), all(each.whole for each in searches))

    def exit_code(self) -> int | None:
        """With which it ended."""
        return self._by_itself(exit_code(self._container))

    def terminate(self, timeout_s: float, delivered: Callable[[], None]) -> int | None:
        """Ask it to end, as ``docker stop`` does, and wait; it is not killed."""
        return self._by_itself(terminate(self._container, timeout_s, delivered))

    def _by_itself(self, code: int | None) -> int | None:
        if code is not None:
            self._watch.require_unbroken()
        return code

    def host_address(self) -> str | None:
        """The gateway of its network, which is this machine where the engine runs here."""
        return next((network["Gateway"] for network in self._networks() if network.get("Gateway")), None)

    @property
    def load_url(self) -> str:
        """Its own address, past the engine's proxy, where this machine is surely on its network."""
        for network in self._networks():
            if address := own_address(network, self._port):
                return f"{urlsplit(self.base_url).scheme}://{address}:{self._port}"
        return self.base_url

    def _networks(self) -> Iterable[Mapping[str, str]]:
        networks: Mapping[str, Mapping[str, str]] = self._container.attrs["NetworkSettings"]["Networks"]
        return networks.values()

    @cached_property
    def _group(self) -> ControlGroup:
        return control_group(self._container)

    def cpu_s(self) -> float | None:
        """CPU time of the container's control group."""
        used_s = self._group.cpu_s()
        return engine_cpu_s(self._container) if used_s is None else used_s

    def memory_bytes(self) -> int | None:
        """Anonymous memory of the container's control group."""
        held = self._group.memory_bytes()
        return engine_memory_bytes(self._container) if held is None else held

    def processes(self) -> tuple[RunningProcess, ...]:
        """As the kernel sees them."""
        return processes(self._container)

    @property
    def container_id(self) -> str:
        """The engine's id, for what only the engine can tell of it."""
        return str(self._container.id)


class ContainerTarget:
    """Runs an image as the suite declares it.

    Args:
        engine: Where to run it.
        image: What to run.
        service: How; its templates are filled from ``values``.
        values: Secrets and names for the templates.
        run_id: Labels the container.
        cpuset: Cores to bind it to (``0-2``), None for any.
        tls: Verifies it where it speaks TLS; None where it does not.
        gpu: Whether to hand it the machine's GPUs.
        until_ready: Whether entering waits until it is ready.
        companions: Starts those that the service is started with, None where it has none.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        image: ImageIdentity,
        service: ServiceSettings,
        values: Mapping[str, str],
        run_id: str,
        cpuset: str | None = None,
        tls: ssl.SSLContext | None = None,
        gpu: bool = False,
        until_ready: bool = True,
        companions: Companions | None = None,
    ) -> None:
        self._engine = engine
        self._image = image
        self._service = service
        self._values = values
        self._labels = {OWNER_LABEL: str(Owner.current()), RUN_LABEL: run_id}
        self._name = f"harness-{run_id[-6:]}-{secrets.token_hex(4)}"
        self._cpuset = cpuset
        self._tls = tls
        self._scheme = "https" if tls else "http"
        self._gpu = gpu
        self._until_ready = until_ready
        self._companions = companions
        self._watch = EngineWatch(engine.host)
        self._stack = ExitStack()

    def __enter__(self) -> ContainerEndpoint:
        """Create, start, wait; on any failure everything made so far is removed first."""
        try:
            return self._start(self._stack)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, kind: object = None, *_exc: object) -> None:
        """Raises RemovalError, unless it would hide what is already being raised."""
        try:
            with uninterrupted():
                self._stack.close()
        except (docker.errors.DockerException, requests.RequestException) as error:
            if kind is None:
                raise RemovalError(f"{self._name}: {error}") from error

    def _start(self, stack: ExitStack) -> ContainerEndpoint:
        with uninterrupted():
            stack.enter_context(self._watch)
            network, companions = self._prepare(stack)
            files = stack.enter_context(HandedFiles(self._service.files, self._values))
            created = [
                self._create(stack, network, files, number) for number in range(self._service.replicas)
            ]
            writable = [] if self._service.read_only_root else [container for container, _ in created]
            disks = [self._bounded(stack, container) for container in writable]
        startup_s = None
        if self._until_ready:
            startup_s = round(max(self._wait(*each, disks) for each in created), 3)
        base_url = created[0][1]
        description = TargetDescription(
            kind=Scope.CONTAINER,
            image=self._image.name,
            image_id=self._image.image_id,
            repo_digest=self._image.repo_digest,
            url=base_url,
            device="gpu" if self._gpu else "cpu",
            startup_s=startup_s,
        )
        containers, base_urls = zip(*created, strict=True)
        return ContainerEndpoint(
            containers,
            base_urls,
            self._service.port,
            description,
            companions,
            watch=self._watch,
            disks=disks,
        )

    def _bounded(self, stack: ExitStack, container: Any) -> DiskBound:
        most_bytes = int(parse_bytes(self._service.disk))
        return stack.enter_context(DiskBound(self._engine.client, container, most_bytes))

    def _wait(self, container: Any, base_url: str, disks: Sequence[DiskBound]) -> float:
        return wait_until_ready(
            base_url,
            self._service,
            died=lambda: (
                next((disk.problem for disk in disks if disk.problem), None) or self._own_death(container)
            ),
            logs=lambda: container_logs(container),
            tls=self._tls,
        )

    def _own_death(self, container: Any) -> str | None:
        cause = death(container)
        if cause is not None:
            self._watch.require_unbroken()
        return cause

    def _prepare(self, stack: ExitStack) -> tuple[Network, dict[str, Companion]]:
        """The network, and on it what is started before the service."""
        with _as_infrastructure_error():
            network = self._make_network(stack)
        declared = {name: self._service.companions[name] for name in self._service.start_with}
        if self._companions is None or not declared:
            return network, {}
        return network, self._companions.start(stack, network, declared, self._labels)

    def _create(
        self, stack: ExitStack, network: Network, files: Mapping[str, Path], number: int
    ) -> tuple[Any, str]:
        """The started container of a replica, and its base URL."""
        with _as_infrastructure_error():
            called = f"{self._name}-{number}" if number else self._name
            container = DockerContainer(self._image.image_id, name=called)
            container.with_envs(**self._environment())
            for name, path in files.items():
                container.with_volume_mapping(str(path), self._service.files[name].path, "ro")
            if self._service.command is not None:
                container.with_command(list(self._service.command))
            read_only, in_memory = self._volumes()
            container.tmpfs = dict.fromkeys((*self._service.tmpfs, *in_memory), TMPFS_OPTIONS)
            mounts = [self._mount(stack, path, f"{called}-{at}") for at, path in enumerate(read_only)]
            container.with_kwargs(network=network.name, mounts=mounts or None, **self._bounds())
            # testcontainers types the host side as a port; docker-py takes an address with it.
            container.ports = {f"{self._service.port}/tcp": ("127.0.0.1", None)}  # type: ignore[dict-item]
            stack.callback(_remove, container)
            self._run(container)
            wrapped = container.get_wrapped_container()
            return wrapped, self._base_url(wrapped)

    def _run(self, container: DockerContainer) -> None:
        """Create and start it."""
        try:
            container.start()
        except docker.errors.APIError as error:
            # What keeps a created container from starting is in its image (user, command, working directory),
            # whatever status the engine gives that, as long as the engine itself is well.
            refused = NO_COMMAND in str(error.explanation).lower()
            if refused or _is_created(container):
                self._watch.require_unbroken()
                raise TargetError(f"the container could not be started: {error.explanation}") from error
            raise

    def _make_network(self, stack: ExitStack) -> Network:
        """A bridge of its own: other targets are out of reach, and without masquerading so is the outside."""
        masquerade = "true" if self._service.egress else "false"
        network = self._engine.client.networks.create(
            self._name,
            driver="bridge",
            options={"com.docker.network.bridge.enable_ip_masquerade": masquerade},
            labels=self._labels,
        )
        stack.callback(_remove_network, network)
        return network

    def _environment(self) -> dict[str, str]:
        paths = {f"file.{name}": file.path for name, file in self._service.files.items()}
        values = {**self._values, **paths, "host": "0.0.0.0", "port": str(self._service.port)}  # noqa: S104 - inside the container
        return filled_all(self._service.environment, values)

    def _mount(self, stack: ExitStack, path: str, name: str) -> Mount:
        """A volume that is only to be read; it has a name, since the engine makes no other read-only."""
        stack.callback(_remove_volume, self._engine, name)
        return Mount(path, name, read_only=True, labels=self._labels)

    def _volumes(self) -> tuple[list[str], list[str]]:
        """What the image declares as volumes lies on this machine's disk, unbounded: it is only to be read.

        Those that a handed file lies in come second, and are in memory: the engine makes its place there.
        """
        handed = {_place(file.path) for file in self._service.files.values()}
        taken = handed | set(map(_place, self._service.tmpfs))
        volumes = sorted(set(map(_place, self._image.content.volumes)) - taken)
        in_memory = [str(path) for path in volumes if any(path in file.parents for file in handed)]
        return [str(path) for path in volumes if str(path) not in in_memory], in_memory

    def _bounds(self) -> dict[str, Any]:
        service = self._service
        return {
            "labels": self._labels,
            "mem_limit": service.memory,
            "memswap_limit": service.memory,
            "nano_cpus": int(service.cpus * NANO),
            "pids_limit": service.pids,
            "cap_drop": ["ALL"],
            "group_add": [os.getgid()] if any(file.private for file in service.files.values()) else None,
            "security_opt": ["no-new-privileges"],
            "read_only": service.read_only_root,
            # Readiness is asked by who needs it; an image's own probe would run beside what is measured.
            "healthcheck": {"test": ["NONE"]},
            "cpuset_cpus": self._cpuset,
            "log_config": LogConfig(
                type="json-file", config={"max-size": str(LOG_FILE_BYTES), "max-file": str(LOG_FILES)}
            ),
            # A resolver on the machine's loopback would otherwise be asked from there, and so the outside.
            "dns": None if service.egress else [NO_RESOLVER],
            "device_requests": self._device_requests(),
        }

    def _device_requests(self) -> list[DeviceRequest] | None:
        if not self._gpu:
            return None
        access = self._engine.gpu_access()
        if access is None:
            raise InfrastructureError("the engine cannot hand a GPU to a container", fix=INSTALL_TOOLKIT)
        return device_requests(access)

    def _base_url(self, container: Any) -> str:
        container.reload()
        bindings = (container.attrs["NetworkSettings"]["Ports"] or {}).get(f"{self._service.port}/tcp")
        if not bindings and death(container):
            return NO_ADDRESS  # it has ended already, as whoever waits for it will learn
        if not bindings:
            raise TargetError("the engine published no port", logs=container_logs(container))
        return f"{self._scheme}://127.0.0.1:{bindings[0]['HostPort']}"


@contextlib.contextmanager
def _as_infrastructure_error() -> Iterator[None]:
    try:
        yield
    except docker.errors.APIError as error:
        raise InfrastructureError(f"container engine: {error.explanation or error}") from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise InfrastructureError(f"container engine: {error}") from error


def _place(path: str) -> PurePosixPath:
    """Where a path leads, however it is written."""
    return PurePosixPath("/", posixpath.normpath(path).lstrip("/"))


def _is_created(container: DockerContainer) -> bool:
    try:
        container.get_wrapped_container()
    except ContainerStartException:
        return False
    return True


def _remove(container: DockerContainer) -> None:
    with contextlib.suppress(docker.errors.NotFound):
        container.stop()


def _remove_volume(engine: Engine, name: str) -> None:
    with contextlib.suppress(docker.errors.NotFound):
        engine.client.volumes.get(name).remove(force=True)


def _remove_network(network: Network) -> None:
    with contextlib.suppress(docker.errors.NotFound):
        network.remove()
