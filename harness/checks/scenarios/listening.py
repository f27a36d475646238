"""Listens where a candidate could reach it, and counts who comes."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self

from harness.errors import InfrastructureError

GRACE_S = 0.02


class Listener:
    """Closes each connection at once: that one was opened says enough.

    Args:
        host: An address of this machine.

    Attributes:
        url: Where it listens.

    Raises:
        OSError: it is none.
    """

    def __init__(self, host: str) -> None:
        self._accepted = 0
        self._failure: OSError | None = None
        self._socket = socket.create_server((host, 0))
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._socket.close()
        self._thread.join()

    def connections(self) -> int:
        """How many were opened since the last call; those just being opened are waited for.

        Raises:
            InfrastructureError: nobody was listening any more.
        """
        time.sleep(GRACE_S)
        if self._failure is not None:
            raise InfrastructureError(
                f"{self.url}: who connects is no longer counted ({self._failure.strerror or self._failure})",
                fix="raise the limit of open files (`ulimit -n`)",
            )
        accepted, self._accepted = self._accepted, 0
        return accepted

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError as error:
                self._failure = error  # or the end, after which nobody asks
                return
            self._accepted += 1
            connection.close()
