"""Requests of the engine, as sent, for what is reported of a failure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from harness.checks.fuzz.protocol import NO_ANSWER, Failed

MOST_BODY_BYTES = 64 * 1024
MOST_ANSWER_BYTES = 2048
MOST_MESSAGE_CHARACTERS = 1000


def failed_of(
    check: str,
    operation: str,
    message: str,
    *,
    method: str,
    url: str,
    headers: Mapping[str, Any],
    body: bytes | None,
    body_bytes: int,
    status: int | None = None,
    content: bytes = b"",
    exception: str = "",
) -> Failed:
    """A failure with the request that showed it, cut to its bounds."""
    parts = urlsplit(url)
    return Failed(
        check=check,
        operation=operation,
        status=status,
        exception=exception,
        count=1,
        message=cut(message),
        method=method,
        path=parts.path + (f"?{parts.query}" if parts.query else ""),
        headers={str(name): _text(value) for name, value in headers.items()},
        body=None if body is None else body[:MOST_BODY_BYTES],
        body_bytes=body_bytes,
        answer=content[:MOST_ANSWER_BYTES].decode("utf-8", "replace"),
    )


def of_prepared(request: requests.PreparedRequest | None) -> dict[str, Any]:
    """What :func:`failed_of` wants of a request."""
    body = getattr(request, "body", None)
    body = body.encode() if isinstance(body, str) else body
    body = body if isinstance(body, bytes) else None
    return {
        "method": getattr(request, "method", None) or "",
        "url": getattr(request, "url", None) or "",
        "headers": getattr(request, "headers", None) or {},
        "body": body,
        "body_bytes": len(body or b""),
    }


def unanswered(error: requests.RequestException, operation: str) -> Failed:
    """A request without an HTTP answer."""
    timed_out = isinstance(error, requests.Timeout)
    message = "no answer in time" if timed_out else f"the connection broke: {error}"
    request = error.request if isinstance(error.request, requests.PreparedRequest) else None
    return failed_of(
        NO_ANSWER, operation, message, exception="timeout" if timed_out else "closed", **of_prepared(request)
    )


def cut(text: str) -> str:
    """One line, bounded."""
    return " ".join(text.split())[:MOST_MESSAGE_CHARACTERS]


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
