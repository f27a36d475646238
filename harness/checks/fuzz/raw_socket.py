"""Sends bytes as they are and reads the answer, within a time and a size."""

import contextlib
import re
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.checks.fuzz.raw_message import Payload

MOST_ANSWER_BYTES = 64 * 1024
PAUSE_S = 0.05
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b[^\r\n]*\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:[^\r\n]*chunked", re.IGNORECASE | re.MULTILINE)
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: Of the first final response, None where there was none.
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


def exchange(base_url: str, payload: Payload, timeout_s: float) -> Answer:
    """Send on a connection of its own and wait for one answer."""
    started = time.perf_counter()
    deadline = started + timeout_s
    content, ended = b"", True
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
        try:
            content = _receive(connection, deadline)
        except TimeoutError:
            ended = False
        except OSError:
            pass  # a reset is a way of closing
    return Answer(_status(content), ended, connected=True, content=content, milliseconds=_since(started))


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
        if index:
            time.sleep(PAUSE_S)
        connection.settimeout(_left(deadline))
        connection.sendall(part)
    if payload.abort:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif payload.half_close:
        connection.shutdown(socket.SHUT_WR)


def _receive(connection: socket.socket, deadline: float) -> bytes:
    """Until the answer is whole, the connection ends or the bound is reached.

    Raises:
        TimeoutError: when nothing of an answer came in time.
        OSError: when the connection was reset before an answer.
    """
    content = b""
    while len(content) < MOST_ANSWER_BYTES and not is_whole(content):
        try:
            connection.settimeout(_left(deadline))
            received = connection.recv(MOST_ANSWER_BYTES)
        except OSError:
            if _status(content) is not None and time.perf_counter() < deadline:
                break
            raise
        if not received:
            break
        content += received
    return content[:MOST_ANSWER_BYTES]


def is_whole(content: bytes) -> bool:
    """Whether a final response and all of its body are there, as far as that shows before the end."""
    rest = _final(content)
    head_end = _HEAD_END.search(rest)
    status = _STATUS.match(rest)
    if status is None or head_end is None:
        return False
    head, body = rest[: head_end.end()], rest[head_end.end() :]
    if int(status.group(1)) in _NO_BODY:
        return True
    if _CHUNKED.search(head):
        return body.startswith(b"0\r\n") or b"\r\n0\r\n" in body
    length = _LENGTH.search(head)
    return length is not None and len(body) >= int(length.group(1))


def _final(content: bytes) -> bytes:
    """From the first response that is not interim (1xx) on."""
    while (status := _STATUS.match(content)) and status.group(1).startswith(b"1"):
        end = _HEAD_END.search(content)
        if end is None:
            return b""
        content = content[end.end() :]
    return content


def _status(content: bytes) -> int | None:
    status = _STATUS.match(_final(content))
    return None if status is None else int(status.group(1))


def _left(deadline: float) -> float:
    left = deadline - time.perf_counter()
    if left <= 0:
        raise TimeoutError("out of time")
    return left


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
