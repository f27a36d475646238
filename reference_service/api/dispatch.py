"""From a path straight to its operation.

FastAPI describes the operations and runs the lifespan. A request does not pass its router, parameters and
middleware: every path is exact and known to exist by the time it gets here, and an operation takes the
request and returns a response. What that costs is the line `dispatch, operation` in docs/serving-speed.md.
"""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_service.api.errors import error_response

Operation = Callable[[Request], Awaitable[Response]]


class Dispatch:
    """The innermost application: answers by the operation of a path, and writes the errors it raises."""

    def __init__(self, routes: Sequence[BaseRoute], lifespan: ASGIApp) -> None:
        self._lifespan = lifespan
        self.operations: dict[str, tuple[frozenset[str], Operation]] = {
            route.path: (frozenset(route.methods or ()), route.endpoint)
            for route in iter_route_contexts(routes)
            if route.path and route.endpoint
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        try:
            response = await self._answer(scope, receive)
        except HTTPException as error:
            response = error_response(error, scope["request_id"])
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        methods, operation = self.operations[scope["path"]]
        if scope["method"] not in methods:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})
        return await operation(Request(scope, receive))


class DirectApp(FastAPI):
    """A FastAPI application whose added middleware ends in `Dispatch` instead of the router."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the lifespan."""
        if scope["type"] == "http" and self.middleware_stack is not None:
            await self.middleware_stack(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Wrap the operations; the middleware added last is the outermost, as always."""
        app: ASGIApp = Dispatch(self.routes, self.router)
        for middleware, arguments, options in reversed(self.user_middleware):
            app = middleware(app, *arguments, **options)
        return app
