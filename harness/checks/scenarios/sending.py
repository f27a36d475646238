"""Sends one request and writes down what came back, whatever that is."""

import time
from types import TracebackType
from typing import Self

import httpx

from harness.checks.scenarios.evidence import Exchange
from harness.checks.scenarios.scenario import MOST_AT_ONCE
from harness.http_exchange import exchange, http_client
from harness.http_request import Request

MOST_BODY_BYTES = 16 * 1024


class Sender:
    """A client without redirects, proxies, cookies or reused connections: each request stands alone.

    Args:
        base_url: Of the service, without a trailing slash.
        timeout_s: For one request, from connecting to the end of its answer.
    """

    def __init__(self, base_url: str, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client = http_client(base_url, connections=MOST_AT_ONCE, keep_alive=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, request: Request, *, started_s: float) -> Exchange:
        """The exchange; a connection error or timeout is one too.

        Args:
            request: What to send.
            started_s: ``time.perf_counter()`` of the scenario's first request.
        """
        sent_s = time.perf_counter()
        answer, error = None, ""
        try:
            answer = exchange(self._client, request, timeout_s=self._timeout_s, most_bytes=MOST_BODY_BYTES)
        except httpx.HTTPError as problem:
            error = f"{type(problem).__name__}: {problem}".removesuffix(": ")
        return Exchange(
            sent_s=sent_s - started_s,
            elapsed_s=time.perf_counter() - sent_s,
            status=answer.status if answer else None,
            headers=dict(answer.headers) if answer else {},
            body=answer.body.decode("utf-8", "replace") if answer else "",
            truncated=answer.truncated if answer else False,
            error=error,
        )
