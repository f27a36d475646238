"""An HTTP/1.1 connection that tells how far an answer had come when it ended."""

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

import h11

from harness.http_request import Request

PIECE_BYTES = 64 * 1024
MOST_BYTES = 4 * 1024 * 1024


class Ending(StrEnum):
    """What became of a request."""

    ANSWERED = "answered"
    """By a whole answer."""
    REFUSED = "refused"
    """There was no connection for it."""
    CLOSED = "closed"
    """Its connection ended before the first byte of an answer."""
    CUT = "cut"
    """Its connection ended within the answer, or what came is no answer."""
    SILENT = "silent"
    """Nothing more came within its time."""


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        status: There once the head of an answer is.
        sent_at: The monotonic time at which all of the request was sent; 0 where it was not.
    """

    ending: Ending
    status: int | None = None
    body: bytes = b""
    sent_at: float = 0.0


class Connection:
    """One connection, as a context manager; over it requests are asked one after another.

    Raises:
        OSError: when there is none to be had.
    """

    def __init__(self, base_url: str, timeout_s: float) -> None:
        url = urlsplit(base_url)
        self._timeout_s = timeout_s
        self._host = url.netloc
        self._protocol = h11.Connection(h11.CLIENT)
        self._status: int | None = None
        self._begun = False
        self._socket = socket.create_connection((url.hostname or "", url.port or 80), timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def usable(self) -> bool:
        """Whether another request may be sent: both sides keep it, and it is not closed yet."""
        if self._protocol.our_state is not h11.IDLE:
            return False
        return not select.select([self._socket], [], [], 0)[0]

    def ask(self, request: Request) -> Reply:
        """Send a request and read its answer."""
        return self.hold(request)()

    def hold(self, request: Request) -> Callable[[], Reply]:
        """Send a request but for its last byte; what is returned sends that, and reads the answer."""
        message = self._message(request)
        sent = self._send(message[:-1])

        def complete() -> Reply:
            # A service may answer what it has not read to the end: the answer counts all the same.
            return self._receive() if self._send(message[-1:]) or sent else Reply(Ending.CLOSED)

        return complete

    def _message(self, request: Request) -> bytes:
        body = request.body or b""
        given = (*request.headers.items(), *request.further_headers)
        headers = [("Host", self._host), *given, ("Content-Length", str(len(body)))]
        events = (h11.Request(method=request.method, target=request.path, headers=headers), h11.Data(body))
        parts = [self._protocol.send(event) for event in (*events, h11.EndOfMessage())]
        return b"".join(part for part in parts if part)

    def _send(self, data: bytes) -> bool:
        try:
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def _receive(self) -> Reply:
        sent_at = time.monotonic()
        body, self._status, self._begun = bytearray(), None, False
        ending = None
        while ending is None:
            try:
                event = self._next_event(sent_at + self._timeout_s)
            except TimeoutError:
                ending = Ending.SILENT
            except (OSError, h11.RemoteProtocolError):
                ending = Ending.CUT if self._begun else Ending.CLOSED
            else:
                if isinstance(event, h11.Data):
                    body += event.data
                ending = self._ending_with(event, len(body))
        return Reply(ending, self._status, bytes(body), sent_at)

    def _next_event(self, give_up: float) -> object:
        """Read until there is one.

        Raises:
            TimeoutError: not in time.
            OSError: the connection was reset.
            h11.RemoteProtocolError: it ended too early, or it speaks another language.
        """
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            left_s = give_up - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._socket.settimeout(left_s)
            piece = self._socket.recv(PIECE_BYTES)
            self._begun = self._begun or bool(piece)
            self._protocol.receive_data(piece)
        if event is h11.PAUSED:  # another protocol was asked for, and agreed to: no event follows
            raise h11.RemoteProtocolError("it speaks another protocol")
        return event

    def _ending_with(self, event: object, body_bytes: int) -> Ending | None:
        if isinstance(event, h11.Response):
            self._status = event.status_code
        elif isinstance(event, h11.EndOfMessage):
            with suppress(h11.LocalProtocolError):  # one of both sides closes
                self._protocol.start_next_cycle()
            return Ending.ANSWERED
        return Ending.CUT if body_bytes > MOST_BYTES else None


class Client:
    """Asks one request after another, over one connection as long as that is kept."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._drop()

    def ask(self, request: Request) -> Reply:
        """One request; a connection that was closed while nothing was asked is opened anew."""
        if self._connection is not None and not self._connection.usable():
            self._drop()
        if self._connection is None:
            try:
                self._connection = Connection(self._base_url, self._timeout_s)
            except OSError:
                return Reply(Ending.REFUSED)
        return self._connection.ask(request)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
