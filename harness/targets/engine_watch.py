"""Tells a container that ended by itself from one that ended with its engine."""

import contextlib
import socket
from typing import Self

from harness.errors import InfrastructureError

TIMEOUT_S = 30.0
PING = "/_ping"
# Of a container that never was, so that nothing is told: the answer begins at once and ends with the engine.
EVENTS = "/events?filters=%7B%22container%22%3A%5B%22harness-no-container%22%5D%7D"
GRANTED = b"HTTP/1.1 200 "
BYTES = 65536


class EngineWatch:
    """Holds a connection to the engine for as long as it is entered.

    An engine that stops or is restarted ends its containers, and says of them afterwards what it says of any
    that exited. What tells the two apart is a connection from before: it ends with the engine.

    Args:
        host: The engine's ``unix://`` socket.
    """

    def __init__(self, host: str) -> None:
        self._path = host.removeprefix("unix://")
        self._held: socket.socket | None = None

    def __enter__(self) -> Self:
        try:
            held, granted = _asked(self._path, EVENTS)
        except OSError as error:
            raise InfrastructureError(f"container engine: {error}") from error
        if granted:
            held.setblocking(False)
            self._held = held
        else:  # nothing was begun that could end; whether it takes connections is still asked
            held.close()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None

    def require_unbroken(self) -> None:
        """Make sure that it was there all the time.

        Raises:
            InfrastructureError: it was not.
        """
        if not self._takes_connections() or self._ended():
            raise InfrastructureError(
                "the container engine stopped or was restarted while the container ran, which ends it",
                fix="run again when the engine stays",
            )

    def _takes_connections(self) -> bool:
        """One that is about to stop takes none, and still answers on those that it has."""
        try:
            _asked(self._path, PING)[0].close()
        except OSError:
            return False
        return True

    def _ended(self) -> bool:
        if self._held is None:
            return False
        try:
            while self._held.recv(BYTES):
                pass
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True


def _asked(path: str, target: str) -> tuple[socket.socket, bool]:
    """A connection on which the answer has begun, and whether that is what was asked for."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(socket.socket(socket.AF_UNIX))
        connection.settimeout(TIMEOUT_S)
        connection.connect(path)
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: engine\r\n\r\n".encode())
        if begun := connection.recv(BYTES):
            stack.pop_all()
            return connection, begun.startswith(GRANTED)
    raise ConnectionResetError("it closed the connection")
