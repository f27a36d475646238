"""A small inference service on loopback, correct or with one fault, and a context to fuzz it."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Annotated, Any

import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException as StarletteHTTPException

from harness.checks.interface import CheckContext
from harness.config.suite import parse_suite
from harness.credentials import Credentials
from harness.model import Scope, TargetDescription

KEY = "test-key-of-the-fuzz-service"
LARGEST_BODY_BYTES = 65536
GATE = """
schema_version = 1
name = "small"

[service]
port = 8000
ready_path = "/health"

[auth]
keys = ["default"]

[auth.credentials.default]
headers = { "X-API-Key" = "${key.default}" }

[fuzz]
openapi = "openapi.json"
credential = "default"
cases_per_operation = 15
answer_timeout_s = 5.0
budget_s = 60.0
shrink_budget_s = 10.0

[fuzz.raw]
request = { path = "/predict", body = "${input}", credential = "default" }
input = { width = 2.5, count = 3, name = "a" }
largest_body_bytes = 65536
error_schema = "#/components/schemas/Error"
answer_timeout_s = 2.0
"""


class Error(BaseModel):
    code: str
    message: str


class Features(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    width: Annotated[float, Field(ge=-1e6, le=1e6)]
    count: Annotated[float, Field(ge=0, le=100)]
    name: Annotated[str, Field(max_length=20)] = ""


class Lenient(BaseModel):
    width: float
    count: float
    name: str = ""


class Prediction(BaseModel):
    label: str
    score: float


_key = APIKeyHeader(name="X-API-Key", auto_error=False)


def _authorised(key: Annotated[str | None, Security(_key)]) -> None:
    if key != KEY:
        raise HTTPException(401, "no valid key")


def _ignored(_key: Annotated[str | None, Security(_key)]) -> None:
    pass


class _BoundedBody:
    """Refuses a body beyond the limit, and one that is not JSON by its own declaration."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        received = 0

        async def bounded() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LARGEST_BODY_BYTES:
                raise HTTPException(413, "too large")
            return message

        await self.app(scope, bounded, send)


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"code": "refused", "message": message}, status, headers)


def make_app(fault: str) -> FastAPI:  # noqa: C901 - every fault of it in one place
    """The service; ``fault`` is empty for the correct one."""
    app = FastAPI(responses={status: {"model": Error} for status in (400, 401, 413, 422, 429)})
    app.add_middleware(_BoundedBody)
    model: type[Any] = Lenient if fault == "accepts_anything" else Features
    guard = _ignored if fault == "ignores_auth" else _authorised

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        if fault == "other_error_body":
            return JSONResponse({"detail": "not valid"}, 422)
        if fault == "echoes_nan":
            return JSONResponse({"code": "refused", "message": "x", "input": error.errors()[0]["input"]}, 422)
        return _error(422, "not valid")

    @app.exception_handler(StarletteHTTPException)
    async def refused(_request: Request, error: StarletteHTTPException) -> Response:
        return _error(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.middleware("http")
    async def throttle(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        if fault.startswith("answers_"):
            status = int(fault.removeprefix("answers_"))
            body = {"label": "a", "score": 0.5, "code": "refused", "message": "always"}
            return JSONResponse(body, status, {"Retry-After": "1"} if status in {429, 503} else None)
        if fault == "crashes_on_bytes" and not (await request.body()).isascii():
            raise RuntimeError("not a text")
        if fault == "hangs" and request.url.path == "/health":
            await asyncio.sleep(30)
        return await answer(request)

    @app.post("/predict", dependencies=[Depends(guard)], response_model=Prediction)
    async def predict(features: model) -> Any:
        if fault == "undocumented_status" and features.count > 2:
            return _error(418, "a teapot")
        if fault == "wrong_schema":
            return JSONResponse({"label": "a", "score": "high"})
        if fault == "crashes_on_name" and features.name:
            raise RuntimeError("no names please")
        return Prediction(label="a", score=0.5)

    @app.get("/health")
    async def health() -> Prediction:
        return Prediction(label="ok", score=1.0)

    return app


class Recorded:
    """Keeps what the service was asked, in order."""

    def __init__(self, app: Any, requests: list[tuple[str, str, bytes, bytes]]) -> None:
        self.app = app
        self.requests = requests

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = b""

        async def kept() -> Any:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        try:
            await self.app(scope, kept, send)
        finally:
            headers = sorted(pair for pair in scope["headers"] if pair[0] not in {b"host", b"x-api-key"})
            self.requests.append(
                (scope["method"], scope["path"], scope["query_string"], repr(headers).encode() + body)
            )


@dataclass
class Served:
    """An endpoint as the checks see it."""

    base_url: str
    requests: list[tuple[str, str, bytes, bytes]] = field(default_factory=list)
    description: TargetDescription = field(default_factory=lambda: TargetDescription(kind=Scope.URL))
    dead: bool = False
    memory: list[int] = field(default_factory=list)

    def alive(self) -> bool:
        return not self.dead

    def logs(self) -> str:
        return "the last words"

    def memory_bytes(self) -> int | None:
        return self.memory.pop(0) if len(self.memory) > 1 else (self.memory or [None])[0]


@contextlib.contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI app on a free loopback port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, pass_end: bool) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if pass_end:
            writer.close()


@contextlib.contextmanager
def without_end(base_url: str) -> Iterator[str]:
    """A proxy that keeps to itself that its client has finished sending, so that the service waits on."""
    host, port = base_url.removeprefix("http://").split(":")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(
            _pump(reader, up_writer, pass_end=False), _pump(up_reader, writer, pass_end=True)
        )

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


class _OneByOne(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


class _PatientServer(HTTPServer):
    request_queue_size = 64


@pytest.fixture
def one_by_one() -> Iterator[Served]:
    """A service that reads one request after the other, however long its client takes."""
    with _PatientServer(("127.0.0.1", 0), _OneByOne) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield Served(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts the service with a fault."""
    with contextlib.ExitStack() as stack:

        def start(fault: str = "") -> Served:
            requests: list[tuple[str, str, bytes, bytes]] = []
            base_url = stack.enter_context(serving(Recorded(make_app(fault), requests)))
            if fault == "swallows_end":
                base_url = stack.enter_context(without_end(base_url))
            return Served(base_url, requests)

        yield start


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., CheckContext]:
    """A context over a served endpoint, with the settings of :data:`GATE` after ``edit``."""

    def make(
        served: Served, *, seed: int = 7, edit: Callable[[str], str] = lambda text: text
    ) -> CheckContext:
        (tmp_path / "openapi.json").write_text(json.dumps(make_app("").openapi()))
        suite = parse_suite(edit(GATE), tmp_path / "gate.toml")
        credentials = Credentials(suite.config.auth, {"GATE_KEY_DEFAULT": KEY})
        folder = tmp_path / "evidence"
        folder.mkdir(exist_ok=True)
        return CheckContext(
            candidate=served,
            reference=None,
            suite=suite,
            credentials=credentials,
            seed=seed,
            folder=folder,
        )

    return make
