"""The OpenAPI document: every status that an operation can answer, its headers and its security."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from reference_service.api.errors import ErrorResponse
from reference_service.api.schema import RequestModels

REF_TEMPLATE = "#/components/schemas/{model}"
SECURITY: list[dict[str, list[str]]] = [{"ApiKey": []}, {"BearerJWT": []}]
SECURITY_SCHEMES = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "BearerJWT": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def _header(kind: str, description: str) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": kind}}


REQUEST_ID_HEADER = {"X-Request-ID": _header("string", "The id under which the request is logged.")}
TIMING_HEADER = {
    "Server-Timing": _header(
        "string", "Milliseconds spent: `parse`, `queue` and `inference`, and `total` up to the answer."
    )
}
ALLOWANCE_HEADERS = {
    "X-RateLimit-Limit": _header(
        "integer", "What the caller's quota, or the one that refused, allows in a window."
    ),
    "X-RateLimit-Remaining": _header("integer", "What is left of it in this window."),
}
RETRY_AFTER_HEADER = {"Retry-After": _header("integer", "Seconds after which to ask again.")}
STATUS_HEADERS = {
    401: {"WWW-Authenticate": _header("string", "The accepted credentials.")},
    429: RETRY_AFTER_HEADER,
}
UNLIMITED = {401, 413, 500, 503}
"""Statuses that don't promise rate-limit headers: they may be answered outside of the rate limit's reach."""

OPEN_ERRORS = (413, 500)
PROTECTED_ERRORS = (401, 403, 413, 429, 500, 503)
BODY_ERRORS = (400, 408, 409, 415)


def error_responses(*statuses: int, limited: bool = False) -> dict[int | str, dict[str, Any]]:
    """Document error answers; `limited` adds the rate-limit headers where they are always sent."""
    return {
        status: {
            "model": ErrorResponse,
            "description": HTTPStatus(status).phrase,
            "headers": success_headers(limited=limited and status not in UNLIMITED)
            | STATUS_HEADERS.get(status, {})
            | (RETRY_AFTER_HEADER if limited and status == HTTPStatus.SERVICE_UNAVAILABLE else {}),
        }
        for status in sorted(statuses)
    }


def success_headers(*, limited: bool) -> dict[str, Any]:
    """Return the headers that every answer of an operation carries."""
    return REQUEST_ID_HEADER | (ALLOWANCE_HEADERS if limited else {})


def protected(*extra: int, body: str | None = None) -> dict[str, Any]:
    """Return the route arguments that document a protected operation; with a JSON body it is a prediction."""
    described: dict[str, Any] = {"security": SECURITY}
    if body:
        content = {"application/json": {"schema": {"$ref": REF_TEMPLATE.format(model=body)}}}
        described["requestBody"] = {"required": True, "content": content}
    return {
        "openapi_extra": described,
        "responses": {
            200: {"headers": success_headers(limited=True) | (TIMING_HEADER if body else {})},
            **error_responses(*PROTECTED_ERRORS, *extra, limited=True),
        },
    }


def unprotected(*extra: int) -> dict[str, Any]:
    """Return the route arguments that document an open operation."""
    return {
        "responses": {
            200: {"headers": success_headers(limited=False)},
            **error_responses(*OPEN_ERRORS, *extra),
        }
    }


def document(app: FastAPI, models: RequestModels) -> dict[str, Any]:
    """Build the document, with the generated request models and the security schemes among its components."""
    openapi = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    _, definitions = models_json_schema(
        [(models.predict, "validation"), (models.batch, "validation")], ref_template=REF_TEMPLATE
    )
    components = openapi["components"]
    components["schemas"] = dict(sorted((components["schemas"] | definitions["$defs"]).items()))
    components["securitySchemes"] = SECURITY_SCHEMES
    return openapi
