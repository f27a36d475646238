"""Where the time of one POST /predict goes inside the application, stage by stage.

Run `.venv/bin/python benchmarks/serving/stages.py` (ten seconds). The application answers one request after
the other, in this process, without a server: what uvicorn and the sockets cost is the ceiling in measure.py.
Each stage is a function, wrapped to note when it begins and ends; its time is what no stage in it took. The
wrapping costs time itself, so the whole is also measured without it. Medians over requests, in microseconds.
"""

import argparse
import asyncio
import functools
import inspect
import logging
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime
import uvloop
from pydantic import BaseModel
from servers import Server, all_servers

from reference_service.access import authentication, ratelimit
from reference_service.api import dispatch, middleware, routes
from reference_service.app import create_app
from reference_service.model import inference
from reference_service.settings import Settings
from reference_service.telemetry import logs
from reference_service.telemetry import metrics as telemetry
from reference_service.telemetry.input_hash import InputHash

STAGES: dict[str, list[tuple[Any, str]]] = {
    "request id, record": [(middleware.RequestContext, "__call__")],
    "body limit": [(middleware.BodyLimit, "__call__")],
    "access": [(middleware.Access, "__call__")],
    "authentication": [(authentication.Authenticator, "authenticate")],
    "rate limit": [(ratelimit.RateLimiter, "admit")],
    "dispatch, operation": [(dispatch.Dispatch, "__call__")],
    "reading the body": [(routes, "read_body")],
    "parsing, validation": [(BaseModel, "model_validate_json")],
    "tensor, range check": [(inference.Model, "predict")],
    "input hash": [(InputHash, "__call__")],
    "inference (session.run)": [(onnxruntime.InferenceSession, "run")],
    "serialisation": [(routes, "json_response")],
    "metrics": [
        (telemetry.Metrics, name) for name in ("observe_request", "observe_run", "observe_predictions")
    ],
    "log line": [(logging.Logger, "handle")],
}
WARM_UP = 500


class Stopwatch:
    """Splits the time that passes among the stages that are under way, always to the innermost."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._since = 0.0
        self.spent: dict[str, float] = defaultdict(float)

    def enter(self, stage: str) -> None:
        self._pass()
        self._open.append(stage)

    def leave(self) -> None:
        self._pass()
        self._open.pop()

    def _pass(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.spent[self._open[-1]] += now - self._since
        self._since = now

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, sync or async, with its time counted."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self.enter(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave()

        @functools.wraps(function)
        async def timed_async(*args: Any, **kwargs: Any) -> Any:
            self.enter(stage)
            try:
                return await function(*args, **kwargs)
            finally:
                self.leave()

        return timed_async if inspect.iscoroutinefunction(function) else timed

    def install(self) -> None:
        """Wrap every stage where the application looks it up."""
        for stage, functions in STAGES.items():
            for owner, name in functions:
                found = inspect.getattr_static(owner, name)
                if isinstance(found, classmethod):
                    setattr(owner, name, classmethod(self.wrap(stage, found.__func__)))
                else:
                    setattr(owner, name, self.wrap(stage, found))


async def answer_times_s(server: Server, count: int, stopwatch: Stopwatch | None) -> list[dict[str, float]]:
    """Answer the server's request `count` times; return for each the seconds by stage, and of the whole."""
    app = create_app(Settings())
    state: dict[str, Any] = {}
    headers = {"host": "127.0.0.1", "content-length": str(len(server.raw_body)), **server.headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": server.path,
        "raw_path": server.path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
    }

    received = {"type": "http.request", "body": server.raw_body, "more_body": False}

    async def receive() -> dict[str, Any]:
        return received

    answer = b""

    async def send(message: dict[str, Any]) -> None:
        nonlocal answer
        answer += message.get("body", b"")

    found = []
    async with app.router.lifespan_context(app) as given:
        state.update(given or {})
        for _ in range(WARM_UP + count):
            answer = b""
            if stopwatch:
                stopwatch.spent = defaultdict(float)
            begun = time.perf_counter()
            await app({**scope, "state": state.copy()}, receive, send)
            whole = time.perf_counter() - begun
            found.append({"whole": whole, **(stopwatch.spent if stopwatch else {})})
            await asyncio.sleep(0)  # what a request leaves for later
    if server.marker.encode() not in answer:
        sys.exit(f"stages: not the right answer: {answer.decode()}")
    return found[WARM_UP:]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000, help="of each of the two passes")
    count = parser.parse_args().requests
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as name, Path(name, "log").open("w") as log:
        server = all_servers(Path(name))[0]
        os.environ.update(server.environment)
        console, sys.stdout = sys.stdout, log
        logs.configure_logging("info")
        sys.stdout = console
        plain = uvloop.run(answer_times_s(server, count, None))
        stopwatch.install()
        split = uvloop.run(answer_times_s(server, count, stopwatch))
        logging.shutdown()
    print(f"POST /predict, {count} requests, median microseconds\n")
    for stage in STAGES:
        print(f"{stage:28}{statistics.median(each.get(stage, 0.0) for each in split) * 1e6:8.1f}")
    print(f"{'whole, with the stopwatch':28}{statistics.median(each['whole'] for each in split) * 1e6:8.1f}")
    print(f"{'whole, without':28}{statistics.median(each['whole'] for each in plain) * 1e6:8.1f}")


if __name__ == "__main__":
    main()
