"""A target is a context manager that gives an endpoint."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NoReturn, Protocol

from harness.errors import InfrastructureError
from harness.model import TargetDescription
from harness.targets.log import LogSearch

LOG_BYTES = 256 * 1024
SPARE_BYTES = 256 * 1024 * 1024
"""What is left free where an image's archive is written: others write there too."""
CompanionAction = Literal["stop", "start", "pause", "unpause"]


def tail(log: bytes) -> str:
    """The last 256 KiB as text, without a line that is cut: it might be a secret that is cut."""
    text = log[-LOG_BYTES:] if len(log) <= LOG_BYTES else log[-LOG_BYTES:].partition(b"\n")[2]
    return text.decode("utf-8", "replace")


class RemovalError(InfrastructureError):
    """A target could not be removed; what was measured on it stands."""


@dataclass(frozen=True)
class RunningProcess:
    """A process inside a container, as the kernel sees it from outside.

    Attributes:
        command: Its name, at most 15 characters.
        uids: Its real, effective, saved and file system user, or one where only that is known.
        capabilities: The mask of those that it may use (``CapPrm``); None where its kernel can't be asked.
    """

    pid: int
    command: str
    uids: tuple[int, ...]
    capabilities: int | None


class StandsBeside(Protocol):
    """A container beside the service."""

    def act(self, action: CompanionAction) -> None:
        """Stop, start, pause or unpause it; a started one is ready when this returns.

        Raises:
            InfrastructureError: the engine failed, or it did not get ready.
        """
        ...


class Uncontained:
    """What a process and a URL have in common: there is no container to ask an engine about."""

    base_url: str
    companions: Mapping[str, StandsBeside] = MappingProxyType({})

    @property
    def base_urls(self) -> tuple[str, ...]:
        """There are no replicas."""
        return (self.base_url,)

    @property
    def load_url(self) -> str:
        """There is no shorter way."""
        return self.base_url

    def exit_code(self) -> NoReturn:
        """Nobody is asked."""
        raise InfrastructureError("only a container is asked for its exit code")

    def terminate(self, _timeout_s: float, _delivered: Callable[[], None]) -> NoReturn:
        """It is left alone."""
        raise InfrastructureError("only a container is terminated by a check")

    def processes(self) -> NoReturn:
        """They are not listed."""
        raise InfrastructureError("only a container's processes are listed")


@dataclass(frozen=True)
class Image:
    """An image, of which nothing need run.

    Attributes:
        image_id: ``sha256:...`` of its configuration.
        size_bytes: As the engine counts it.
        labels: As its configuration has them.
        ports: TCP ports that its configuration exposes.
        volumes: Folders that its configuration declares as volumes.
        save: Writes its archive, as ``docker save`` does; raises InfrastructureError when the engine fails.
    """

    image_id: str
    size_bytes: int
    labels: Mapping[str, str]
    save: Callable[[Path], None]
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()

    def archive(self, folder: Path) -> Path:
        """Its archive in ``folder``, which is written only once.

        Raises:
            InfrastructureError: the engine failed, or there is no room for it.
        """
        path = folder / f"{self.image_id.rpartition(':')[2]}.tar"
        if not path.exists():
            free_bytes = shutil.disk_usage(folder).free
            if self.size_bytes + SPARE_BYTES > free_bytes:
                raise InfrastructureError(
                    f"the image has {self.size_bytes} bytes, and {free_bytes} are free in {folder.parent}",
                    fix="free some, or set TMPDIR to a folder with more",
                )
            partial = path.with_suffix(".partial")
            self.save(partial)
            partial.rename(path)
        return path


@dataclass(frozen=True)
class Unstarted(Uncontained):
    """In the place of an endpoint where nothing is started."""

    description: TargetDescription
    base_url: str = ""

    def alive(self) -> bool:
        """It can't have died."""
        return True

    def logs(self) -> str:
        """It wrote nothing."""
        return ""

    def search_log(self, _holds: Callable[[str], bool]) -> LogSearch:
        """Nothing is found in nothing."""
        return LogSearch(found=False, whole=True)

    def host_address(self) -> None:
        """It reaches nothing."""

    def cpu_s(self) -> None:
        """It uses none."""

    def memory_bytes(self) -> None:
        """It holds none."""


class Endpoint(Protocol):
    """A service that is ready to answer, unless it was started without waiting for that.

    What only a container can do raises InfrastructureError elsewhere, and where the engine fails; a check
    that calls it needs :attr:`Capability.CONTAINER`.
    """

    @property
    def base_url(self) -> str:
        """Without a trailing slash (``http://127.0.0.1:32768``)."""
        ...

    @property
    def base_urls(self) -> tuple[str, ...]:
        """Those of its replicas, the first of which is :attr:`base_url`."""
        ...

    @property
    def load_url(self) -> str:
        """The shortest way to the same service, for who measures its times; without a trailing slash."""
        ...

    @property
    def companions(self) -> Mapping[str, StandsBeside]:
        """What was started with it, by its name under ``[service.companions]``."""
        ...

    @property
    def description(self) -> TargetDescription:
        """What it is, for the report."""
        ...

    def alive(self) -> bool:
        """Whether it still runs; for a URL, whether its readiness path answers.

        Raises:
            InfrastructureError: it does not, and ended with its engine or may have.
        """
        ...

    def logs(self) -> str:
        """What it has written so far, at most the last 256 KiB; empty for a URL."""
        ...

    def search_log(self, holds: Callable[[str], bool]) -> LogSearch:
        """Whether ``holds`` is true of some part of all that it has written; never whole for a URL.

        Raises:
            InfrastructureError: the engine failed.
        """
        ...

    def cpu_s(self) -> float | None:
        """The CPU seconds that its processes have used so far; None where that cannot be told (a URL).

        Raises:
            InfrastructureError: the engine failed.
        """
        ...

    def memory_bytes(self) -> int | None:
        """The memory that its processes hold, page cache left out; None where that cannot be told (a URL).

        Raises:
            InfrastructureError: the engine failed.
        """
        ...

    def host_address(self) -> str | None:
        """The address by which it would reach this machine, without egress too; None where nobody knows."""
        ...

    def exit_code(self) -> int | None:
        """With which it ended, None while it runs; only a container."""
        ...

    def terminate(self, timeout_s: float, delivered: Callable[[], None]) -> int | None:
        """Send SIGTERM, wait for the end at most ``timeout_s``, and give its exit code; only a container.

        Args:
            timeout_s: None is given when it still runs then.
            delivered: Called once SIGTERM has surely arrived, which a busy engine takes its time for.
        """
        ...

    def processes(self) -> tuple[RunningProcess, ...]:
        """All that run in it; only a container."""
        ...


class Target(Protocol):
    """Starts a service on entry and removes every trace of it on exit, whatever happened."""

    def __enter__(self) -> Endpoint:
        """Start it and wait until it is ready.

        Raises:
            TargetError: it exited, never became ready in time, or answers on another port.
            InfrastructureError: the engine failed.
        """
        ...

    def __exit__(self, *exc: object) -> None:
        """Remove it.

        Raises:
            RemovalError: when the engine would not.
        """
        ...
