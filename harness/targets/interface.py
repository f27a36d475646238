"""A target is a context manager that gives an endpoint."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from harness.errors import InfrastructureError
from harness.model import TargetDescription

LOG_BYTES = 256 * 1024


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


class Uncontained:
    """What a process and a URL have in common: there is no container to ask an engine about."""

    def save_image(self, _path: Path) -> NoReturn:
        """There is none to save."""
        raise InfrastructureError("only a container has an image")

    def exit_code(self) -> NoReturn:
        """Nobody is asked."""
        raise InfrastructureError("only a container is asked for its exit code")

    def terminate(self, _timeout_s: float) -> NoReturn:
        """It is left alone."""
        raise InfrastructureError("only a container is terminated by a check")

    def processes(self) -> NoReturn:
        """They are not listed."""
        raise InfrastructureError("only a container's processes are listed")


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
    def description(self) -> TargetDescription:
        """What it is, for the report."""
        ...

    def alive(self) -> bool:
        """Whether it still runs; for a URL, whether its readiness path answers."""
        ...

    def logs(self) -> str:
        """What it has written so far, at most the last 256 KiB; empty for a URL."""
        ...

    def memory_bytes(self) -> int | None:
        """The memory that its processes hold, page cache left out; None where that cannot be told (a URL).

        Raises:
            InfrastructureError: the engine failed.
        """
        ...

    def save_image(self, path: Path) -> int:
        """Write the archive of its image, as ``docker save`` does; only a container.

        Returns:
            The engine's size of the image in bytes.
        """
        ...

    def exit_code(self) -> int | None:
        """With which it ended, None while it runs; only a container."""
        ...

    def terminate(self, timeout_s: float) -> int | None:
        """Send SIGTERM, wait for the end at most ``timeout_s``, and give its exit code; only a container."""
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
