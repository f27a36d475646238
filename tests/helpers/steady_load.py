"""A load that knows what became of every request: answered, or lost on a connection that had been accepted.

A request counts as lost if all of its bytes were sent and its connection then ended without a whole answer.
A client that finds its idle connection closed before it sends opens another, and one that can't connect has
sent nothing: neither is a loss. A new connection that is reset before any answer may never have been accepted
by the process: the kernel completes connections before that. Those are counted apart.
"""

import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from select import select
from typing import Self

TIMEOUT_S = 15.0


@dataclass
class Tally:
    """What became of the requests so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    reset_when_new: list[str] = field(default_factory=list)
    closed_while_idle: int = 0
    refused: int = 0


class SteadyLoad:
    """Clients that ask on and on until they are refused or stopped; `with` starts and joins them."""

    def __init__(self, address: tuple[str, int], request: bytes, *, kept_alive: int, new: int) -> None:
        self.tally = Tally()
        self._address = address
        self._request = request
        self._stopped = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._ask, args=(True,)) for _ in range(kept_alive)),
            *(threading.Thread(target=self._ask, args=(False,)) for _ in range(new)),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, keep_alive: bool) -> None:
        connection: socket.socket | None = None
        try:
            while not self._stopped.is_set():
                new = connection is None
                if connection is None:
                    connection = socket.create_connection(self._address, timeout=TIMEOUT_S)
                if select([connection], [], [], 0)[0]:
                    self.tally.closed_while_idle += 1
                elif self._answered(connection, new=new) and keep_alive:
                    continue
                connection.close()
                connection = None
        except OSError:
            self.tally.refused += 1
        finally:
            if connection:
                connection.close()

    def _answered(self, connection: socket.socket, *, new: bool) -> bool:
        """Send a request and read its answer; tell whether the connection may be used again."""
        answer = b""
        try:
            connection.sendall(self._request)
            while not is_whole(answer):
                piece = connection.recv(65536)
                if not piece:
                    raise ConnectionError("closed")
                answer += piece
        except OSError as error:
            never_accepted = new and not answer and isinstance(error, ConnectionResetError)
            losses = self.tally.reset_when_new if never_accepted else self.tally.lost
            losses.append(f"{error!r} after {answer!r}")
            return False
        self.tally.statuses[int(answer.split(b" ", 2)[1])] += 1
        return b"connection: close" not in answer.lower()


def is_whole(answer: bytes) -> bool:
    """Tell whether an answer with a Content-Length is complete."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    ]
    return bool(separator and lengths) and len(body) >= int(lengths[0])
