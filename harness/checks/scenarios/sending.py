"""Sends requests together and writes down what came back, whatever that is."""

import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import httpx

from harness.checks.scenarios.connection import Address, Connection, NoAnswerError
from harness.checks.scenarios.evidence import Exchange
from harness.checks.scenarios.scenario import MOST_AT_ONCE, TlsOffer
from harness.http_request import Request
from harness.tls import Certificates

MOST_BODY_BYTES = 16 * 1024
CURRENT = TlsOffer()


class Sender:
    """Each request has a connection of its own: no redirects, proxies, cookies or reused connections.

    Args:
        base_urls: Of the replicas of the service, without a trailing slash.
        timeout_s: For one request, from connecting to the end of its answer.
        certificates: Of the run, where the service was started with them; None trusts the public authorities.
    """

    def __init__(
        self, base_urls: Sequence[str], timeout_s: float, certificates: Certificates | None = None
    ) -> None:
        self._addresses = [Address.of(base_url) for base_url in base_urls]
        self._timeout_s = timeout_s
        self._certificates = certificates
        self._contexts: dict[TlsOffer, ssl.SSLContext | None] = {}
        self._pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def send(
        self,
        requests: Sequence[Request],
        *,
        started_s: float,
        offer: TlsOffer = CURRENT,
        most_bytes: int = MOST_BODY_BYTES,
        replicas: Sequence[int] = (),
    ) -> list[Exchange]:
        """One exchange each; a connection error or timeout is one too.

        All but the last byte of every request is written first, then the last bytes go out together: what
        is sent at once is under way at once, however long the connections took.

        Args:
            requests: At most 64.
            started_s: ``time.perf_counter()`` of the scenario's first request.
            offer: How to connect, where the service speaks TLS.
            most_bytes: Of each answer's body; the rest is not read.
            replicas: Whom each request asks; empty for the first replica.
        """
        tls = self._context(offer)

        def open_(request: Request, replica: int) -> Connection | NoAnswerError:
            return self._opened(request, self._addresses[replica], tls, most_bytes)

        waiting = list(self._pool.map(open_, requests, replicas or [0] * len(requests)))
        sent_s = []
        for connection in waiting:
            sent_s.append(time.perf_counter())
            if isinstance(connection, Connection):
                connection.release()

        def finish(connection: Connection | NoAnswerError, sent_s: float) -> Exchange:
            return _exchange(connection, sent_s, started_s)

        return list(self._pool.map(finish, waiting, sent_s))

    def _context(self, offer: TlsOffer) -> ssl.SSLContext | None:
        if self._addresses[0].scheme == "http" or offer.plain:
            return None
        if offer not in self._contexts:
            self._contexts[offer] = (
                httpx.create_ssl_context(trust_env=False)
                if self._certificates is None
                else self._certificates.context(version=offer.version, client=offer.client_certificate)
            )
        return self._contexts[offer]

    def _opened(
        self, request: Request, address: Address, tls: ssl.SSLContext | None, most_bytes: int
    ) -> Connection | NoAnswerError:
        try:
            return Connection(
                address,
                request,
                tls=tls,
                timeout_s=self._timeout_s,
                most_bytes=most_bytes,
            )
        except NoAnswerError as error:
            return error


def _exchange(connection: Connection | NoAnswerError, sent_s: float, started_s: float) -> Exchange:
    try:
        if isinstance(connection, NoAnswerError):
            raise connection
        answer = connection.answer()
    except NoAnswerError as error:
        elapsed_s = time.perf_counter() - sent_s
        return Exchange(sent_s=sent_s - started_s, elapsed_s=elapsed_s, error=str(error), closed=error.closed)
    return Exchange(
        sent_s=sent_s - started_s,
        elapsed_s=time.perf_counter() - sent_s,
        status=answer.status,
        headers=answer.headers,
        body=answer.body.decode("utf-8", "replace"),
        truncated=answer.truncated,
    )
