"""The one error schema, and everything that turns a failure into it."""

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reference_service.errors import ApiError
from reference_service.telemetry.record import record_of

MAX_FIELD_LENGTH = 200
CODES = {405: "method_not_allowed"}
VALIDATION_CODES = {
    "json_invalid": "malformed_json",
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "finite_number": "not_finite",
    "greater_than_equal": "out_of_bounds",
    "less_than_equal": "out_of_bounds",
    "too_long": "too_many_items",
    "too_short": "too_few_items",
    **{code: code for code in ("wrong_shape", "invalid_base64", "not_finite", "out_of_bounds")},
}


class ErrorDetail(BaseModel):
    """What went wrong, where, and the id under which the service logged it."""

    code: str
    field: str | None
    message: str
    request_id: str


class ErrorResponse(BaseModel):
    """The body of every answer of the application that is not a success."""

    error: ErrorDetail


def from_validation(error: ValidationError) -> ApiError:
    """Turn the first problem of a request into a 400 that echoes no value of it.

    Echoing the input is the known trap: a NaN in it can't be written as JSON, and the answer becomes a 500.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])[:MAX_FIELD_LENGTH]
    code = VALIDATION_CODES.get(first["type"], "invalid_value")
    return ApiError(400, code, first["msg"], field=field or None)


class ErrorAnswer(Response):
    """An error in the one schema; it leaves its code in the request's record when it is sent."""

    def __init__(self, detail: ErrorDetail, *, status: int, headers: Mapping[str, str] | None) -> None:
        super().__init__(
            ErrorResponse(error=detail).model_dump_json(),
            status_code=status,
            headers=headers,
            media_type="application/json",
        )
        self._code = detail.code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        record_of(scope).error_code = self._code
        await super().__call__(scope, receive, send)


def error_response(error: HTTPException, request_id: str) -> Response:
    """Write any HTTP error in the one schema."""
    detail = ErrorDetail(
        code=error.code if isinstance(error, ApiError) else CODES.get(error.status_code, "http_error"),
        field=error.field if isinstance(error, ApiError) else None,
        message=str(error.detail),
        request_id=request_id,
    )
    return ErrorAnswer(detail, status=error.status_code, headers=error.headers)
