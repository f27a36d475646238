"""Sends one request and reads the answer no further than a size and a time."""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from harness.http_request import Request

WRITE_BYTES = 16 * 1024


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        body: At most the bytes that were asked for.
        truncated: Whether there were more.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool


@dataclass(frozen=True)
class Document:
    """What is served at a path.

    Attributes:
        status: Of the answer; None where none came.
        body: At most the bytes that were asked for, whatever the status.
        problem: Why it is not the whole document; empty where it is.
    """

    status: int | None = None
    body: bytes = b""
    problem: str = ""


def http_client(
    base_url: str, *, connections: int = 1, keep_alive: bool = True, tls: ssl.SSLContext | None = None
) -> httpx.Client:
    """A client for :func:`exchange`, and for nothing else: no cookies, no redirects, no proxies.

    Args:
        base_url: Of the service, without a trailing slash.
        connections: At most these at a time.
        keep_alive: Whether a connection serves more than one request.
        tls: For https; None trusts the public authorities.
    """
    return httpx.Client(
        base_url=base_url,
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        transport=_Transport(connections, connections if keep_alive else 0, tls),
    )


def exchange(client: httpx.Client, request: Request, *, timeout_s: float, most_bytes: int) -> Answer:
    """Send ``request`` and read its answer.

    Args:
        client: From :func:`http_client`.
        timeout_s: From sending to the end of the answer.
        most_bytes: Of the body as it was sent, encoded or not; the rest is not read. With 0 nothing of it is
            waited for.

    Raises:
        httpx.HTTPError: no answer, or not in time, or a path that can't be sent.
        ValueError: for a path that does not begin with a slash: it could lead to another host.
    """
    if not request.path.startswith("/"):
        raise ValueError(f"not a path: {request.path[:100]!r}")
    give_up = time.monotonic() + timeout_s
    body = bytearray()
    # Nobody asks for compression, and what comes compressed all the same is not decoded: see iter_raw below.
    headers = {"Accept-Encoding": "identity", **request.headers}
    # As one string: joining it to the base, httpx would take the second slash off "//path".
    url = str(client.base_url).rstrip("/") + request.path
    # The pool takes a duration, the network below it a point in time: see _Stream.
    limits = httpx.Timeout(give_up, pool=timeout_s)
    try:
        with client.stream(
            request.method, url, headers=headers, content=request.body, timeout=limits
        ) as response:
            # Decoded, a few kilobytes could become gigabytes before anybody sees how many they are.
            for chunk in response.iter_raw() if most_bytes else ():
                body += chunk
                if len(body) > most_bytes:
                    break
    except httpx.InvalidURL as error:  # which is no HTTPError
        raise httpx.LocalProtocolError(str(error)) from error
    except httpx.TimeoutException as error:
        raise type(error)(f"no whole answer within {timeout_s:g} s") from error
    return Answer(
        status=response.status_code,
        headers=dict(response.headers),
        body=bytes(body[:most_bytes]),
        truncated=len(body) > most_bytes,
    )


def get_document(client: httpx.Client, request: Request, *, timeout_s: float, most_bytes: int) -> Document:
    """What answers ``request``, asked as by :func:`exchange`; only status 200 gives the whole document."""
    try:
        answer = exchange(client, request, timeout_s=timeout_s, most_bytes=most_bytes)
    except httpx.HTTPError as error:
        return Document(problem=f"no answer: {type(error).__name__}: {error}")
    problem = ""
    if answer.status != httpx.codes.OK:
        problem = f"HTTP {answer.status}, expected 200"
    elif answer.truncated:
        problem = f"more than {most_bytes} bytes"
    return Document(answer.status, answer.body, problem)


class _Transport(httpx.HTTPTransport):
    """httpx's own over a pool whose network knows deadlines; it has no argument for that."""

    def __init__(self, connections: int, kept_alive: int, tls: ssl.SSLContext | None) -> None:
        context = tls or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=kept_alive,
            network_backend=_Network(),
        )


class _Stream(httpcore.NetworkStream):
    """A connection on which ``timeout`` is no duration but the monotonic time at which all has to be done.

    httpx's timeouts are for each read, so a service that drips headers or body could go on for ever.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_BYTES):
            piece = buffer[start : start + WRITE_BYTES]
            self._stream.write(piece, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left_s = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left_s))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Network(httpcore.NetworkBackend):
    """Makes such connections."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(httpcore.SyncBackend().connect_tcp(host, port, left_s, local_address, socket_options))


def _left(deadline: float | None, error: type[Exception]) -> float | None:
    if deadline is None:
        return None
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise error("out of time")
    return left_s
