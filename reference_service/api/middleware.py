"""What happens before a body is parsed, from the outside in: request context, body limit, access."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_service.access.apikeys import Scope as AccessScope
from reference_service.access.authentication import Authenticator, Principal, RefusedError
from reference_service.access.ratelimit import Allowance, RateLimiter
from reference_service.api.errors import error_response
from reference_service.errors import ApiError
from reference_service.telemetry.logs import LOGGER, request_line
from reference_service.telemetry.metrics import Metrics
from reference_service.telemetry.record import RequestRecord, record_of

REQUEST_ID_BYTES = 16
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
MAX_LOGGED_PATH = 200
CLIENT_CLOSED_REQUEST = 499  # never sent; the customary status for logs and metrics
MAX_LENGTH_DIGITS = 15


class RequestContext:
    """Gives each request an id, counts and logs it, and answers 500 for what nobody expected."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, labels: Mapping[str, str]) -> None:
        """Wrap an application.

        Args:
            metrics: Where requests are counted.
            labels: What every line of the log has: model version and deployment.
        """
        self.app = app
        self._metrics = metrics
        self._labels = labels

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope["request_id"] = _request_id(scope)
        record = scope["record"] = RequestRecord(trace_id=scope.get("trace_id"))
        common = scope["common_headers"] = [(b"x-request-id", request_id.encode("ascii"))]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                own = message["headers"]
                names = {name for name, _ in own}  # a batch refused for its rows tells of those
                headers = [*own, *(header for header in common if header[0] not in names)]
                if timing := record.server_timing():
                    headers.append((b"server-timing", timing))
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            record.status = CLIENT_CLOSED_REQUEST
            LOGGER.info("client disconnected", extra={"fields": {"request_id": request_id}})
        except Exception:
            LOGGER.exception("unexpected error", extra={"fields": {"request_id": request_id}})
            if record.status:  # the answer has begun: only breaking the connection tells the client
                raise
            error = ApiError(500, "internal_error", "the service failed; its log has the request_id")
            await error_response(error, request_id)(scope, receive, send_with_headers)
        finally:
            self._record(scope, record)

    def _record(self, scope: Scope, record: RequestRecord) -> None:
        """Count the request and write its line."""
        path = scope["path"]
        self._metrics.observe_request(
            path=path,
            method=scope["method"],
            status=record.status,
            duration_s=time.perf_counter() - record.started,
            error_code=record.error_code,
        )
        if not LOGGER.isEnabledFor(logging.INFO):
            return
        fields = {
            "request_id": scope["request_id"],
            "method": scope["method"],
            "path": path[:MAX_LOGGED_PATH],
            **record.log_fields(),
            **self._labels,
        }
        LOGGER.handle(request_line(fields))


class BodyLimit:
    """Refuses a body over the limit, at once when declared, while it arrives when not, and a slow one."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float) -> None:
        self.app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        too_long = not declared.isdecimal() or len(declared) > MAX_LENGTH_DIGITS
        if too_long or int(declared) > self._max_bytes:
            await error_response(self._refused(), scope["request_id"])(scope, receive, send)
            return
        received = 0
        deadline = asyncio.get_running_loop().time() + self._timeout_s

        async def receive_counted() -> Message:
            nonlocal received
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                late = f"the body must be there within {self._timeout_s:g} s"
                raise ApiError(408, "body_timeout", late, headers={"Connection": "close"}) from None
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._refused()
            return message

        await self.app(scope, receive_counted, send)

    def _refused(self) -> ApiError:
        """Build the 413."""
        return ApiError(413, "body_too_large", f"the body may have at most {self._max_bytes} bytes")


class Access:
    """Authenticates, rate-limits and authorises requests to protected paths; open paths pass.

    Any other path is answered 404 here: what exists is decided once, by the exact path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticator: Authenticator,
        limiter: RateLimiter,
        scopes: Mapping[str, AccessScope | None],
    ) -> None:
        self.app = app
        self._authenticator = authenticator
        self._limiter = limiter
        self._scopes = scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; nothing of its body has been read yet."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["path"] not in self._scopes:
            unknown = ApiError(404, "not_found", "there is nothing at this path")
            await error_response(unknown, scope["request_id"])(scope, receive, send)
            return
        required = self._scopes[scope["path"]]
        if required is None:
            await self.app(scope, receive, send)
            return
        try:
            principal, allowance = await self._admit(scope, required)
        except ApiError as error:
            await error_response(error, scope["request_id"])(scope, receive, send)
            return
        scope["common_headers"] += allowance.raw_headers()
        if required not in principal.scopes:
            refusal = ApiError(403, "insufficient_scope", f"the scope {required!r} is required")
            await error_response(refusal, scope["request_id"])(scope, receive, send)
            return
        scope["principal"] = principal
        await self.app(scope, receive, send)

    async def _admit(self, scope: Scope, required: AccessScope) -> tuple[Principal, Allowance]:
        """Authenticate and count a request.

        Raises:
            ApiError: 401, 429, or 503 if it can't be counted.
        """
        try:
            principal = self._authenticator.authenticate(Headers(scope=scope))
        except ApiError as refusal:
            if isinstance(refusal, RefusedError):
                fields = {"request_id": scope["request_id"], **refusal.told}
                known = "key_id" in refusal.told  # of anybody's guesses a warning each would be too many
                level = logging.WARNING if known else logging.INFO
                LOGGER.log(level, "credential refused", extra={"fields": fields})
            await self._limiter.admit_unauthenticated(scope)
            raise
        record_of(scope).authenticated(principal.identity, principal.key_id)
        return principal, await self._limiter.admit(scope, principal, required)


def _request_id(scope: Scope) -> str:
    """Take over a harmless X-Request-ID, or make one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(REQUEST_ID_BYTES)
