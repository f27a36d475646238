"""Asks a service for its OpenAPI document, bounded in time and size."""

import time

import httpx

from harness.errors import TargetError
from harness.http_request import Request
from harness.model import Model
from harness.openapi.load import MAX_BYTES
from harness.targets.interface import Endpoint


class Served(Model):
    """What the service answered.

    Attributes:
        status: Of the answer; None where none came.
        text: The body, cut at the size cap; bytes that are not UTF-8 are escaped.
        problem: Why the body is no document; empty where it may be one.
    """

    status: int | None = None
    text: str = ""
    problem: str = ""


def fetch(endpoint: Endpoint, request: Request, *, timeout_s: float, most_bytes: int = MAX_BYTES) -> Served:
    """Send the request once, following no redirect.

    Raises:
        TargetError: the service died.
    """
    try:
        status, body = _exchange(endpoint, request, timeout_s, most_bytes)
    except httpx.HTTPError as error:
        if not endpoint.alive():
            raise TargetError(
                "it stopped when asked for its OpenAPI document", logs=endpoint.logs()
            ) from error
        return Served(problem=f"no answer: {type(error).__name__}: {error}")
    text = body.decode("utf-8", "backslashreplace")
    if status != httpx.codes.OK:
        return Served(status=status, text=text, problem=f"HTTP {status}, expected 200")
    if len(body) > most_bytes:
        return Served(status=status, problem=f"more than {most_bytes} bytes")
    return Served(status=status, text=text)


def _exchange(endpoint: Endpoint, request: Request, timeout_s: float, most_bytes: int) -> tuple[int, bytes]:
    """Status and body, which is read no further than one chunk beyond the cap."""
    give_up = time.monotonic() + timeout_s
    body = bytearray()
    with (
        httpx.Client(base_url=endpoint.base_url, timeout=timeout_s, trust_env=False) as client,
        client.stream(request.method, request.path, headers=dict(request.headers)) as response,
    ):
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > most_bytes:
                break
            # httpx's timeout is for each read, so a service that drips could go on for ever.
            if time.monotonic() > give_up:
                raise httpx.ReadTimeout(f"still answering after {timeout_s:g} s")
    return response.status_code, bytes(body)
