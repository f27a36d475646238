"""Looks at a service that runs: where it tells that it is ready, and which OpenAPI document it serves."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from harness.config.service import ServiceSettings
from harness.credentials import Credentials
from harness.errors import AnswerError, TargetError, UsageError
from harness.http_exchange import exchange, get_document, http_client
from harness.http_request import Request
from harness.openapi import OpenAPIError, diff, operation_names
from harness.openapi.load import MAX_BYTES, parse_json
from harness.targets.interface import Endpoint
from harness.targets.readiness import POLL_S, PROBE_TIMEOUT_S, probe

READY_PATHS = (
    "/ready", "/readyz", "/health/ready", "/v2/health/ready", "/health", "/healthz", "/livez", "/ping",
)  # fmt: skip
OPENAPI_PATHS = (
    "/openapi.json", "/docs.json", "/spec.json", "/swagger.json", "/api/openapi.json", "/v3/api-docs",
)  # fmt: skip
ROOT = "/"
TIMEOUT_S = 10.0
NOT_IMPLEMENTED = 501


@dataclass(frozen=True)
class Ready:
    """The readiness path.

    Attributes:
        usual: Whether it is one; else only that something answers is told.
    """

    path: str
    status: int
    usual: bool = True


def find_ready(
    endpoint: Endpoint, service: ServiceSettings, declared: str | None, *, timeout_s: float, started: bool
) -> Ready:
    """Wait until a usual path, or the declared one, answers with a success.

    Of several the first counts, so that a path that tells of readiness goes before one that tells of life.
    Where there is none of them, whatever ``/`` answers has to do.

    Args:
        endpoint: The service.
        service: How it is probed.
        declared: The path, if the user said which.
        timeout_s: It has so long.
        started: Whether it was started for this, so that it may have ended.

    Raises:
        TargetError: the service ended, or nothing answered in time.
    """
    give_up = time.monotonic() + timeout_s
    with http_client(endpoint.base_url) as client:
        while True:
            seen = dict(_statuses(client, service, (declared,) if declared else READY_PATHS))
            path, status = next(iter(seen.items()), ("", 0))
            if httpx.codes.is_success(status):
                return Ready(path, status)
            root = next(_answered(client, service, (ROOT,)), None)
            if not seen and not declared and root is not None:
                return Ready(*root, usual=False)
            if started and not endpoint.alive():
                raise TargetError(
                    "it ended before it was ready",
                    logs=endpoint.logs(),
                    fix="--env and --service hand it what it needs: variables, files, memory (1g else)",
                )
            if time.monotonic() >= give_up:
                break
            time.sleep(POLL_S)
        if not started and not seen and _refused(client, declared or ROOT):
            raise TargetError(
                f"not ready within {timeout_s:g} s: GET {endpoint.base_url}{declared or ROOT} was refused: "
                "nothing listens there",
                fix="does the service run? Start it, or give the address that it listens on",
            )
    last = f"GET {path} answered {status}" if seen else f"nothing answered at {declared or ROOT}"
    raise TargetError(
        f"not ready within {timeout_s:g} s: {last}",
        logs=endpoint.logs(),
        fix="--ready names the path that tells when requests may come, --port the port",
    )


def _refused(client: httpx.Client, path: str) -> bool:
    """Whether the connection is refused, which only a machine that answers does."""
    try:
        exchange(client, Request("GET", path), timeout_s=PROBE_TIMEOUT_S, most_bytes=0)
    except (httpx.HTTPError, ValueError) as error:
        return any(isinstance(each, ConnectionRefusedError) for each in _causes(error))
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _statuses(
    client: httpx.Client, service: ServiceSettings, paths: tuple[str, ...]
) -> Iterator[tuple[str, int]]:
    """The paths that there are: one that is not is answered 404, another 4xx, 3xx or 501."""
    for path, status in _answered(client, service, paths):
        if httpx.codes.is_success(status) or (
            httpx.codes.is_server_error(status) and status != NOT_IMPLEMENTED
        ):
            yield path, status
        if httpx.codes.is_success(status):
            return


def _answered(
    client: httpx.Client, service: ServiceSettings, paths: tuple[str, ...]
) -> Iterator[tuple[str, int]]:
    for path in paths:
        asked = service.model_copy(update={"ready_path": path})
        status, _ = probe(client, asked, timeout_s=PROBE_TIMEOUT_S)
        if status is None:
            return  # nothing listens there, or it hangs: the other paths would wait as long
        yield path, status


@dataclass(frozen=True)
class ServedDocument:
    """An OpenAPI document.

    Attributes:
        path: Where it is served.
        credential: What had to be presented for it; None for nothing.
    """

    path: str
    credential: str | None
    body: dict[str, Any]

    @property
    def plain_gets(self) -> list[str]:
        """The paths of the GETs that take nothing but the path, so that they can be asked as they stand."""
        return [
            path
            for path, item in _tables(self.body.get("paths"))
            for method, operation in _tables(item)
            if method == "get" and "{" not in path and not {**item, **operation}.get("parameters")
        ]


def _tables(of: object) -> list[tuple[str, dict[str, Any]]]:
    """The members of an object that are objects themselves."""
    members = of.items() if isinstance(of, dict) else ()
    return [(str(name), value) for name, value in members if isinstance(value, dict)]


def find_document(
    endpoint: Endpoint, credentials: Credentials, credential: str | None, declared: str | None
) -> tuple[ServedDocument | None, list[str]]:
    """The first document at a usual path, or the declared one, that a contract can be made of.

    Returns:
        The document, None without one; and what was found that is none.

    Raises:
        UsageError: the declared path has none.
        AnswerError: it holds a secret of the caller.
    """
    problems: list[str] = []
    with http_client(endpoint.base_url) as client:
        for path in (declared,) if declared else OPENAPI_PATHS:
            for presented in dict.fromkeys((None, credential)):
                request = Request(
                    "GET", path, {"Accept": "application/json", **credentials.headers(presented)}
                )
                answer = get_document(client, request, timeout_s=TIMEOUT_S, most_bytes=MAX_BYTES)
                problem = f"GET {path}: {answer.problem}"
                if not answer.problem:
                    try:
                        body = _checked(answer.body, path)
                    except (ValueError, OpenAPIError) as error:
                        problem = f"GET {path} is no OpenAPI document: {error}"
                    else:
                        _require_no_secret(answer.body, path, credentials)
                        return ServedDocument(path, presented, body), problems
                if answer.status == httpx.codes.OK or declared:
                    problems.append(problem)
    if declared:
        raise UsageError(problems[-1], fix="--openapi PATH has to answer OpenAPI 3.0 or 3.1 as JSON")
    return None, problems


def _require_no_secret(content: bytes, path: str, credentials: Credentials) -> None:
    if credentials.stand_in(content.decode("utf-8", "replace")):
        raise AnswerError(f"GET {path}: the document holds a secret that it was asked with")


def _checked(content: bytes, path: str) -> dict[str, Any]:
    """Parse a document that a contract can be held against; ValueError or OpenAPIError for any other."""
    body = parse_json(content)
    if not isinstance(body, dict):
        raise ValueError("it is no object")
    diff(body, body, names=(path, path))
    if not operation_names(body):
        raise ValueError("it has no operation")
    return body
