"""The HTTP protocol of the server, with bounds on what a client may send before anyone knows who it is.

The parser itself bounds neither a head nor the time it takes. Everything here happens before the application,
so a refusal is plain text, as the server's own answers to malformed HTTP are.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from reference_service.server.draining import Drain
from reference_service.telemetry.logs import LOGGER

MAX_HEAD_BYTES = 32 * 1024
HEADER_OVERHEAD_BYTES = 32
"""Counted for each header besides its name and value (RFC 9113, section 6.5.2): many small ones cost too."""
MAX_PIPELINED = 32
PIECE_BYTES = 16 * 1024
"""So much is parsed before the bounds are checked again; the event loop hands over 250 kB at once."""
HARD_LIMIT_FACTOR = 2
BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})
RETRY_AFTER_S = 1


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one connection, and all of them together, may take.

    Attributes:
        max_connections: With more open at a time, requests are answered 503; with twice as many, further
            connections are closed unanswered.
        head_timeout_s: From the opening of a connection to the end of its first head.
        idle_timeout_s: From the end of an answer to the end of the next head.
        request_timeout_s: From the end of a head to the end of its answer.
    """

    max_connections: int
    head_timeout_s: float
    idle_timeout_s: float
    request_timeout_s: float


class RefusedError(Exception):
    """Stops the parser; the answer has been written."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `bounded` gives the class to use."""

    bounds: ClassVar[Bounds]
    drain: ClassVar[Drain]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._head_bytes = 0
        self._unproductive_bytes = 0  # since a head ended or a piece of a body came
        self._in_body = False  # or in the trailer
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base class
        """Start the time for the first head."""
        super().connection_made(transport)
        if len(self.connections) > HARD_LIMIT_FACTOR * self.bounds.max_connections:
            transport.abort()
            return
        self._allow(self.bounds.head_timeout_s)
        if self.drain.begun:
            self.shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time; a request that still waits for the model need not be run."""
        if self._timer:
            self._timer.cancel()
        if self._running:
            self._running.disconnected = True  # the base class tells only the request that came last
            scope: dict[str, Any] = dict(self._running.scope)
            if withdraw := scope.get("withdraw"):
                withdraw()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse in pieces; refuse what leads nowhere: a head, trailer or chunk extension without end."""
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            self._unproductive_bytes += len(piece)
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._unproductive_bytes > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return

    def on_message_begin(self) -> None:
        """Begin a head; a client that sends on and on without reading its answers is cut off."""
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.close()  # an answer would be taken for that to an earlier request
            raise RefusedError
        self._head_bytes = self._unproductive_bytes = 0
        self._in_body = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count it."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count it; trailers come here too."""
        self._count(len(name) + len(value) + HEADER_OVERHEAD_BYTES)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand the request on, unless there are too many connections or nobody can tell where it ends.

        With a change of protocol, which is never made, the parser takes what follows the head for that other
        protocol: it drops the rest of a piece, and reads the next piece as a new request.
        """
        self._unproductive_bytes = 0
        if len(self.connections) > self.bounds.max_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"retry-after: {RETRY_AFTER_S}\r\n")
            raise RefusedError
        upgrade = self.parser.should_upgrade()
        if upgrade and any(name in BODY_HEADERS for name, _ in self.headers):
            self._refuse(HTTPStatus.BAD_REQUEST)
            raise RefusedError
        self._allow(self.bounds.request_timeout_s)
        super().on_headers_complete()
        self._in_body = True
        if upgrade or self.drain.begun:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """A piece of a body is what a client should send."""
        self._unproductive_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """What comes now belongs to the next request."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the time for the next head, or for the answer to the next request if that is here already."""
        super().on_response_complete()
        waiting = self.cycle.response_complete
        self._allow(self.bounds.idle_timeout_s if waiting else self.bounds.request_timeout_s)

    def shutdown(self) -> None:
        """End the connection with the answer to the request that is here, or comes soon; else without one.

        To close an idle connection at once would lose a request that the client has just sent.
        """
        if self._is_idle():
            self.loop.call_later(self.drain.linger_s, self._close_idle)
        else:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses, unless it was stopped by a refusal of our own."""
        if self.transport.is_closing():
            return
        if self._may_answer():
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Remember what runs: with requests in a pipeline it is not the one that came last."""
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            raise RefusedError

    def _refuse(self, status: HTTPStatus, header: str = "") -> None:
        """Answer in plain text, if it can be told to what, and close."""
        LOGGER.info("refused before the application", extra={"fields": {"status": status.value}})
        if not self._may_answer():
            self.transport.close()
            return
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n{header}content-type: text/plain; charset=utf-8\r\n"
        )
        text = f"content-length: {len(status.phrase)}\r\nconnection: close\r\n\r\n{status.phrase}"
        self.transport.write((head + text).encode("ascii"))
        self.transport.close()

    def _may_answer(self) -> bool:
        """Whether what is written now is the answer to what the parser reads, not to an earlier request."""
        if self._in_body:
            return not self.pipeline and not self.cycle.response_started
        return self._is_idle()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _close_idle(self) -> None:
        """Close, unless there is a request to answer: its answer closes the connection."""
        if self._is_idle():
            self.transport.close()

    def _allow(self, seconds: float) -> None:
        """Give the connection this long for what it has to do next."""
        self._deadline = self.loop.time() + seconds
        if self._timer is None or self._deadline < self._timer_at:
            self._set_timer()

    def _set_timer(self) -> None:
        """Wait for the deadline; one that is put off leaves the timer as it is: that happens all the time."""
        if self._timer:
            self._timer.cancel()
        self._timer_at = self._deadline
        self._timer = self.loop.call_at(self._deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        """If the deadline was not put off, end the connection; the client may not even read."""
        if self._deadline > self._timer_at:
            self._set_timer()
            return
        LOGGER.info("connection timed out")
        self.transport.abort()


def bounded(limits: Bounds, draining: Drain) -> type[BoundedProtocol]:
    """Return the protocol class with these bounds; the server makes its instances."""

    class Protocol(BoundedProtocol):
        bounds = limits
        drain = draining

    return Protocol
