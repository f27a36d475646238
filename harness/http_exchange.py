"""Sends one request and reads the answer no further than a size and a time."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from harness.http_request import Request


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


def exchange(client: httpx.Client, request: Request, *, timeout_s: float, most_bytes: int) -> Answer:
    """Send ``request``; redirects are the client's matter.

    Args:
        client: Its ``base_url`` is the service.
        timeout_s: From sending to the end of the answer.
        most_bytes: Of the body; the rest is not read.

    Raises:
        httpx.HTTPError: no answer, or not in time.
    """
    give_up = time.monotonic() + timeout_s
    body = bytearray()
    # Without compression no small answer becomes a large one.
    headers = {"Accept-Encoding": "identity", **request.headers}
    # As one string: joining it to the base, httpx would take the second slash off "//path".
    url = str(client.base_url).rstrip("/") + request.path
    with client.stream(request.method, url, headers=headers, content=request.body) as response:
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > most_bytes:
                break
            # httpx's timeout is for each read, so a service that drips could go on for ever.
            if time.monotonic() > give_up:
                raise httpx.ReadTimeout(f"still answering after {timeout_s:g} s")
    return Answer(
        status=response.status_code,
        headers=dict(response.headers),
        body=bytes(body[:most_bytes]),
        truncated=len(body) > most_bytes,
    )
