"""One request on a connection of its own, written as it stands; its last byte goes out when told."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from harness.http_request import Request

READ_BYTES = 64 * 1024
MOST_HEAD_BYTES = 64 * 1024
PORTS = {"http": 80, "https": 443}
TLS_ALERT = b"\x15\x03"
WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})


class NoAnswerError(Exception):
    """Why there is no answer.

    Attributes:
        closed: Whether the service ended the connection, in place of answering late or not at all.
    """

    def __init__(self, why: str, *, closed: bool = False) -> None:
        super().__init__(why)
        self.closed = closed


@dataclass(frozen=True)
class Answer:
    """An answer; headers have lower-case names, those of one name joined by a comma."""

    status: int
    headers: dict[str, str]
    body: bytes
    truncated: bool


@dataclass(frozen=True)
class Address:
    """Where a service answers, from its base URL."""

    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    def of(cls, base_url: str) -> "Address":
        """The address of ``http://host:port/prefix``."""
        parts = urlsplit(base_url)
        port = parts.port or PORTS[parts.scheme]
        return cls(parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """For the header ``Host``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class Connection:
    """A connection with all of a request but its last byte written.

    Args:
        address: Where to.
        request: Sent as it is: neither path nor headers are tidied.
        tls: Verifies the service, None for plain text.
        timeout_s: From connecting to the end of the answer.
        most_bytes: Of the body; the rest is not read.
    """

    def __init__(
        self,
        address: Address,
        request: Request,
        *,
        tls: ssl.SSLContext | None,
        timeout_s: float,
        most_bytes: int,
    ) -> None:
        self._most_bytes = most_bytes
        self._timeout_s = timeout_s
        self._give_up = time.monotonic() + timeout_s
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEAD_BYTES)
        content = _written(self._protocol, address, request)
        self._last = content[-1:]
        with self._problems():
            self._socket = socket.create_connection((address.host, address.port), self._left())
        try:
            with self._problems():
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if tls is not None:
                    self._socket = tls.wrap_socket(self._socket, server_hostname=address.host)
                self._write(content[:-1])
        except BaseException:
            self._socket.close()
            raise

    def release(self) -> None:
        """Send the last byte; what goes wrong with that shows in the answer."""
        with contextlib.suppress(OSError):
            self._write(self._last)

    def answer(self) -> Answer:
        """Read the answer and close.

        Raises:
            NoAnswerError: there is none, or it is not HTTP, or not whole in time.
        """
        with contextlib.closing(self._socket), self._problems():
            return self._read()

    def _read(self) -> Answer:
        body = bytearray()
        head: h11.Response | None = None
        while len(body) <= self._most_bytes:
            match self._protocol.next_event():
                case h11.NEED_DATA:
                    self._receive(begun=head is not None)
                case h11.Response() as head:
                    pass
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    break
                case h11.PAUSED:  # another protocol was asked for, and agreed to: no event follows
                    raise NoAnswerError("it speaks another protocol")
        if head is None:
            raise NoAnswerError("the answer has no status line")
        headers: dict[str, str] = {}
        for name, value in head.headers:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        truncated = len(body) > self._most_bytes
        return Answer(head.status_code, headers, bytes(body[: self._most_bytes]), truncated)

    def _receive(self, *, begun: bool) -> None:
        """Take what comes next."""
        self._socket.settimeout(self._left())
        data = self._socket.recv(READ_BYTES)
        if data.startswith(TLS_ALERT) and not begun:
            raise NoAnswerError("a TLS alert in place of an answer", closed=True)
        if not data and not begun and not self._protocol.trailing_data[0]:
            raise NoAnswerError("the connection was closed without an answer", closed=True)
        self._protocol.receive_data(data)

    def _write(self, content: bytes) -> None:
        """A service may answer and close before it has read everything: its answer tells, not the writing."""
        self._socket.settimeout(self._left())
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            self._socket.sendall(content)

    def _left(self) -> float:
        left_s = self._give_up - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    @contextlib.contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise NoAnswerError(f"no whole answer within {self._timeout_s:g} s") from error
        except (OSError, h11.RemoteProtocolError) as error:
            closed = _is_refusal(error)
            text = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise NoAnswerError(text, closed=closed) from error


def _is_refusal(error: Exception) -> bool:
    """Whether the service ended the connection: by closing it, or by a TLS alert.

    What the client itself finds wrong, such as the service's own certificate, is none.
    """
    if isinstance(error, ssl.SSLError):
        return isinstance(error, ssl.SSLEOFError) or "ALERT" in (error.reason or "")
    return isinstance(error, ConnectionResetError | BrokenPipeError)


def _written(protocol: h11.Connection, address: Address, request: Request) -> bytes:
    """The bytes of a request.

    Raises:
        h11.LocalProtocolError: a header's name or value is not allowed in HTTP.
    """
    given = {name.lower() for name in request.headers}
    headers = [*request.headers.items(), *request.further_headers]
    for name, value in {"Accept-Encoding": "identity", "Host": address.authority}.items():
        if name.lower() not in given:
            headers.insert(0, (name, value))
    if request.body is not None or request.method in WITH_LENGTH:
        headers.append(("Content-Length", str(len(request.body or b""))))
    target = address.prefix + request.path
    head = protocol.send(h11.Request(method=request.method, target=target, headers=headers)) or b""
    body = protocol.send(h11.Data(data=request.body or b"")) if request.body else b""
    return head + (body or b"") + (protocol.send(h11.EndOfMessage()) or b"")
