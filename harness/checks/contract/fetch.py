"""Asks a service for its OpenAPI document, bounded in time and size."""

from harness.errors import TargetError
from harness.http_exchange import get_document, http_client
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
    with http_client(endpoint.base_url) as client:
        document = get_document(client, request, timeout_s=timeout_s, most_bytes=most_bytes)
    if document.status is None and not endpoint.alive():
        raise TargetError("it stopped when asked for its OpenAPI document", logs=endpoint.logs())
    text = document.body.decode("utf-8", "backslashreplace")
    return Served(status=document.status, text=text, problem=document.problem)
