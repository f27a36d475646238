"""Sends bytes as they are and reads the answer, within a time and a size."""

import contextlib
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.checks.fuzz.raw_answer import MOST_ANSWER_BYTES, is_whole, status_of
from harness.checks.fuzz.raw_message import Payload

SLICE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: Of the final response: where several have to come, of the first that is not 2xx. None where
            one is missing.
        ended: Whether the service answered or closed the connection in time; False is a hang.
        connected: Whether the connection was accepted at all.
        content: At most 64 KiB.
        milliseconds: From the first byte sent to the end of the answer.
    """

    status: int | None
    ended: bool
    connected: bool
    content: bytes
    milliseconds: float

    @property
    def in_time(self) -> bool:
        """Whether it is an answer, or a connection that the service closed."""
        return self.connected and self.ended


def exchange(base_url: str, payload: Payload, timeout_s: float) -> Answer:
    """Send on a connection of its own and wait for the answer."""
    started = time.perf_counter()
    deadline = started + timeout_s
    try:
        connection = _connect(base_url, timeout_s)
    except OSError:
        return Answer(None, ended=True, connected=False, content=b"", milliseconds=_since(started))
    with connection:
        # A service may refuse a request before it has read all of it: the answer counts all the same.
        with contextlib.suppress(OSError):
            _send(connection, payload, deadline)
        if payload.abort:
            return Answer(None, ended=True, connected=True, content=b"", milliseconds=_since(started))
        return _answer(connection, payload, started, deadline)


@contextlib.contextmanager
def stalled(base_url: str, payload: Payload, timeout_s: float) -> Iterator[Callable[[], tuple[Answer, ...]]]:
    """As many clients as the payload has senders, each of which has sent the first part.

    Yields:
        What sends the rest and waits for their answers, within ``timeout_s`` together.
    """
    with ExitStack() as stack:
        connections = []
        for _ in range(payload.senders):
            with contextlib.suppress(OSError):
                connection = stack.enter_context(_connect(base_url, timeout_s))
                connections.append(connection)
                connection.sendall(payload.parts[0])

        def finish() -> tuple[Answer, ...]:
            started = time.perf_counter()
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.sendall(b"".join(payload.parts[1:]))
            answers = [_answer(each, payload, started, started + timeout_s) for each in connections]
            missing = payload.senders - len(answers)
            nobody = Answer(None, ended=True, connected=False, content=b"", milliseconds=_since(started))
            return (*answers, *(nobody,) * missing)

        yield finish


def _connect(base_url: str, timeout_s: float) -> socket.socket:
    url = urlsplit(base_url)
    secure = url.scheme == "https"
    host = url.hostname or ""
    connection = socket.create_connection((host, url.port or (443 if secure else 80)), timeout_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return (
        ssl.create_default_context().wrap_socket(connection, server_hostname=host) if secure else connection
    )


def _send(connection: socket.socket, payload: Payload, deadline: float) -> None:
    for index, part in enumerate(payload.parts):
        if index and payload.pause_s:
            time.sleep(payload.pause_s)
        if not _send_part(connection, part, deadline):
            return
    if payload.abort:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif payload.half_close:
        connection.shutdown(socket.SHUT_WR)


def _send_part(connection: socket.socket, part: bytes, deadline: float) -> bool:
    """Whether all of it was sent: no more is, once a long request is answered."""
    rest = memoryview(part)
    # What a TLS connection has to read need not be an answer.
    watched = [] if isinstance(connection, ssl.SSLSocket) or len(part) < SLICE_BYTES else [connection]
    while rest:
        left = _left(deadline)
        if watched and select.select(watched, watched, [], left)[0]:
            return False
        connection.settimeout(left)
        rest = rest[connection.send(rest[:SLICE_BYTES]) :]
    return True


def _answer(connection: socket.socket, payload: Payload, started: float, deadline: float) -> Answer:
    content, ended = b"", True
    try:
        content = _receive(connection, payload.answers, deadline)
    except TimeoutError:
        ended = False
    except OSError:
        pass  # a reset is a way of closing
    status = status_of(content, payload.answers)
    return Answer(status, ended, connected=True, content=content, milliseconds=_since(started))


def _receive(connection: socket.socket, answers: int, deadline: float) -> bytes:
    """Until the answers are whole, the connection ends or the bound is reached.

    Raises:
        TimeoutError: when nothing of an answer came in time.
        OSError: when the connection was reset before an answer.
    """
    content = b""
    while len(content) < MOST_ANSWER_BYTES and not is_whole(content, answers):
        try:
            connection.settimeout(_left(deadline))
            received = connection.recv(MOST_ANSWER_BYTES)
        except OSError:
            if status_of(content, answers) is not None and time.perf_counter() < deadline:
                break
            raise
        if not received:
            break
        content += received
    return content[:MOST_ANSWER_BYTES]


def _left(deadline: float) -> float:
    left = deadline - time.perf_counter()
    if left <= 0:
        raise TimeoutError("out of time")
    return left


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
