"""Ends a container that writes more to this machine's disk than it may.

Engines bound that on some file systems only, so it is looked at from outside.
"""

import contextlib
import os
import threading
from typing import Any, Self

import docker.errors
import requests

EVERY_S = 2.0
FLOOR_BYTES = 1024**3
"""What is left to others. A file that is open and has no name any more is in no folder to be added up."""


class DiskBound:
    """Looks now and then, in a thread of its own, for as long as it is entered.

    Args:
        client: docker-py's.
        container: Likewise; it runs.
        most_bytes: Of files in its own layer, those of its image not counted.

    Attributes:
        problem: Why it was killed; empty while it was not.
    """

    def __init__(self, client: Any, container: Any, most_bytes: int) -> None:
        self._client = client
        self._container = container
        self._most_bytes = most_bytes
        self._folder = ""
        self._free_before: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="disk-bound", daemon=True)
        self.problem = ""

    def __enter__(self) -> Self:
        with _as_far_as_it_tells():
            self._folder = str(self._client.info().get("DockerRootDir") or "")
        self._free_before = self._free_bytes()
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self.problem and not self._stop.wait(EVERY_S):
            with _as_far_as_it_tells():
                if problem := self._found():
                    self.problem = problem
                    self._container.kill()

    def _found(self) -> str:
        written = self._written_bytes()
        if written > self._most_bytes:
            return f"it wrote {written} bytes to its disk, allowed are {self._most_bytes}"
        free, before = self._free_bytes(), self._free_before
        if free is None or before is None or free >= FLOOR_BYTES:
            return ""
        used = before - free
        if used > self._most_bytes:
            return f"while it ran, {used} bytes of the engine's disk were used up, and {free} are left"
        return ""

    def _written_bytes(self) -> int:
        listed = self._client.api.containers(size=True, filters={"id": self._container.id})
        return max((int(each.get("SizeRw") or 0) for each in listed), default=0)

    def _free_bytes(self) -> int | None:
        """Where the engine keeps its containers; None where that is not to be seen from here."""
        try:
            folder = os.statvfs(self._folder)
        except OSError:
            return None
        return folder.f_bavail * folder.f_frsize


def _as_far_as_it_tells() -> contextlib.suppress:
    """An engine that fails is the business of whoever asks it next."""
    return contextlib.suppress(docker.errors.DockerException, requests.RequestException)
