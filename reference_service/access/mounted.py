"""Files with keys that are mounted at run time: read at start, and again when they change."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from reference_service.errors import KeyFileError
from reference_service.telemetry.logs import LOGGER

CHECK_INTERVAL_S = 1.0

T = TypeVar("T")


def read_mounted(path: Path) -> bytes:
    """Return the content of a mounted file.

    Raises:
        KeyFileError: It can't be read.
    """
    try:
        return path.read_bytes()
    except PermissionError as error:
        raise KeyFileError(
            f"{path}: {error.strerror}; the service runs as user {os.geteuid()}: chmod 0440 the file and "
            "give the service its group (docker run --group-add, in Kubernetes fsGroup)"
        ) from error
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error


def tell_nobody(_stale: float) -> None:
    """Take no notice of whether a broken file is there."""


class Reloaded(Generic[T]):
    """What was read from files, and is read again when one of them has changed.

    A mounted secret is replaced by a rename or by swapping a symbolic link, so the path is looked at each
    time. Files that have become unusable open nothing and close nothing: what was read before stays, with an
    error in the log, until they are usable.
    """

    def __init__(
        self,
        read: Callable[[], T],
        *files: Path | None,
        tell_stale: Callable[[float], None] = tell_nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read them.

        Args:
            read: Reads the files, or raises a `KeyFileError`; one at the start is passed on.
            files: The files that it reads; None is no file.
            tell_stale: Called with 1 when they became unusable, and with 0 when they were read.
            clock: Seconds.
        """
        self._read = read
        self._files = [file for file in files if file]
        self._tell_stale = tell_stale
        self._clock = clock
        self._next_check_s = clock() + CHECK_INTERVAL_S
        self._seen = self._versions()
        self._value = read()
        tell_stale(0)

    def current(self) -> T:
        """Return what the files say; costs a look at the clock, and once a second one at each file."""
        now_s = self._clock()
        if now_s >= self._next_check_s:
            self._next_check_s = now_s + CHECK_INTERVAL_S
            self._check()
        return self._value

    def _check(self) -> None:
        # Taken before reading: a change while reading is found at the next check.
        versions = self._versions()
        if versions == self._seen:
            return
        self._seen = versions
        names = ", ".join(str(file) for file in self._files)
        try:
            self._value = self._read()
        except KeyFileError as error:
            LOGGER.error("changed file is not used, the former keys stay: %s", error)
            self._tell_stale(1)
        else:
            LOGGER.info("reloaded %s", names)
            self._tell_stale(0)

    def _versions(self) -> list[tuple[int, ...] | None]:
        return [_version(file) for file in self._files]


def _version(file: Path) -> tuple[int, ...] | None:
    """Tell one content of a path from another without reading it; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
