"""Asks a service for its OpenAPI document, bounded in time and size."""

import httpx

from harness.errors import TargetError
from harness.http_exchange import exchange, http_client
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
        with http_client(endpoint.base_url) as client:
            answer = exchange(client, request, timeout_s=timeout_s, most_bytes=most_bytes)
    except httpx.HTTPError as error:
        if not endpoint.alive():
            raise TargetError(
                "it stopped when asked for its OpenAPI document", logs=endpoint.logs()
            ) from error
        return Served(problem=f"no answer: {type(error).__name__}: {error}")
    text = answer.body.decode("utf-8", "backslashreplace")
    if answer.status != httpx.codes.OK:
        return Served(status=answer.status, text=text, problem=f"HTTP {answer.status}, expected 200")
    if answer.truncated:
        return Served(status=answer.status, problem=f"more than {most_bytes} bytes")
    return Served(status=answer.status, text=text)
