"""The only file that knows Schemathesis: its engine is no documented API, so the version is pinned exactly.

What is asked of the engine, and why:

- Phases ``examples``, ``coverage`` and ``fuzzing``; not ``stateful``, since an inference service keeps no
  state between requests.
- One worker, the run's seed, no database, no cache, nothing learnt from answers: the same seed sends the
  same requests, whatever the candidate answers.
- It goes on after a failure, so that each operation gets all its cases; hence it does not shrink, and the
  shortest request of each kind of failure is kept instead.
- An operation that declares no input at all has but one valid request. It gets a header that nobody declares:
  recipients ignore unknown header fields (RFC 9110, section 5.1), so each of its requests stays valid.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, assert_never
from urllib.parse import urlsplit

import requests
import schemathesis
from schemathesis import generation
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.engine import Status, StopReason, events, from_schema
from schemathesis.engine.errors import ServerUnavailable
from schemathesis.engine.recorder import Interaction, ScenarioRecorder

from harness.checks.fuzz.protocol import (
    NO_ANSWER,
    Answered,
    Applied,
    Broken,
    Ended,
    Failed,
    Job,
    Message,
    Planned,
)

MOST_BODY_BYTES = 64 * 1024
MOST_ANSWER_BYTES = 2048
MOST_MESSAGE_CHARACTERS = 1000
UNDECLARED_HEADER = "X-Fuzz-Undeclared"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Engine:
    """One run of the engine over a contract.

    Args:
        job: What to do.
        emit: Called with each message, from more than one thread but never twice at once per operation.
    """

    def __init__(self, job: Job, emit: Callable[[Message], None]) -> None:
        self._emit = emit
        self._base_url = job.base_url
        # The engine numbers its requests in a header; unseeded, no two runs would send the same bytes.
        generation.RANDOM.seed(job.seed)
        document = copy.deepcopy(job.document)
        self._without_input = _give_input(document)
        config = SchemathesisConfig.from_dict(_config(job, document, self._without_input))
        self._schema = schemathesis.openapi.from_dict(document, config=config)

        def after_call(_context: Any, case: Any, response: Response) -> None:
            self._count(case, response)

        self._schema.hook("after_call")(after_call)
        self._stream = from_schema(self._schema).execute()

    def stop(self) -> None:
        """Stop after the request in flight; may be called from another thread."""
        self._stream.stop()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Send everything.

        Args:
            stopped: Whether :meth:`stop` was called because the budget is spent.
        """
        names = []
        for operation in self._schema.get_all_operations():
            if isinstance(operation, Ok):
                names.append(operation.ok().label)
            else:
                self._emit(Broken(message=_cut(f"the contract has an unusable operation: {operation.err()}")))
        self._emit(Planned(operations=tuple(names)))
        for event in self._stream:
            for message in self._messages(event, stopped):
                self._emit(message)

    def _count(self, case: Any, response: Response) -> None:
        """Count a request; those with another method than the operation's are probes of the engine."""
        if case.meta is not None and case.method.upper() == case.operation.method.upper():
            valid = case.meta.generation.mode.is_positive
            self._emit(Answered(operation=case.operation.label, valid=valid, status=response.status_code))

    def _messages(self, event: events.EngineEvent, stopped: Callable[[], bool]) -> Iterator[Message]:
        match event:
            case events.ScenarioFinished():
                yield from self._scenario(event.recorder)
            case events.NonFatalError(value=requests.RequestException()):
                yield _unanswered(event)
            case events.NonFatalError(value=ServerUnavailable()):
                pass  # the stop reason says so
            case events.NonFatalError():
                yield Broken(message=_cut(f"{event.label}: {event.info.title}: {event.info.message}"))
            case events.FatalError():
                yield Broken(message=_cut(f"{type(event.exception).__name__}: {event.exception}"))
            case events.Interrupted() if not stopped():
                yield Broken(message="the engine was interrupted")
            case events.EngineFinished():
                yield Ended(reason=_reason(event.stop_reason, budget_spent=stopped()))
            case _:
                pass

    def _scenario(self, recorder: ScenarioRecorder) -> Iterator[Message]:
        applied: Counter[str] = Counter()
        failures: dict[tuple[str, str, int | None], Failed] = {}
        for case_id, checks in recorder.checks.items():
            for check in checks:
                applied[check.name] += 1
                if check.status is Status.ERROR:
                    yield Broken(message=f"{recorder.label}: the check {check.name} crashed")
                if check.failure_info is None:
                    continue
                failure = check.failure_info.failure
                shown = (
                    recorder.interactions.get(failure.case_id or case_id) or recorder.interactions[case_id]
                )
                failed = self._failed(
                    check.name, recorder.label, f"{failure.title}: {failure.message}", shown
                )
                known = failures.get(failed.same)
                failures[failed.same] = failed if known is None else known.merged(failed)
        if applied:
            yield Applied(checks=dict(applied))
        yield from failures.values()

    def _failed(self, check: str, operation: str, message: str, interaction: Interaction) -> Failed:
        request, response = interaction.request, interaction.response
        url = urlsplit(request.uri)
        body = request.body or b""
        return Failed(
            check=check,
            operation=operation,
            status=None if response is None else response.status_code,
            count=1,
            message=_cut(message),
            method=request.method,
            path=url.path + (f"?{url.query}" if url.query else ""),
            headers={name: values[0] for name, values in request.headers.items()},
            body=request.body if request.body is None else body[:MOST_BODY_BYTES],
            body_bytes=max(len(body), request.body_size or 0),
            answer=""
            if response is None
            else response.content[:MOST_ANSWER_BYTES].decode("utf-8", "replace"),
        )


def _give_input(document: dict[str, Any]) -> tuple[str, ...]:
    """Add the undeclared header to the operations that declare no input; returns their labels."""
    given = []
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            operation = item.get(method) if isinstance(item, dict) and "$ref" not in item else None
            if not isinstance(operation, dict) or item.get("parameters"):
                continue
            if not operation.get("parameters") and not operation.get("requestBody"):
                header = {"name": UNDECLARED_HEADER, "in": "header", "required": False}
                typed = {"schema": {"type": "string"}} if "openapi" in document else {"type": "string"}
                operation["parameters"] = [header | typed]
                given.append(f"{method.upper()} {path}")
    return tuple(given)


def _config(job: Job, document: dict[str, Any], without_input: tuple[str, ...]) -> dict[str, Any]:
    own_data = {"extra-data-sources": {"responses": False}}
    return {
        "seed": job.seed,
        "base-url": job.base_url + _server_path(document),
        "headers": job.headers,
        "workers": 1,
        "continue-on-failure": True,
        "request-timeout": job.answer_timeout_s,
        "cache": {"enabled": False},
        "checks": {"enabled": False} | {name: {"enabled": True} for name in sorted(job.checks)},
        "suppress-health-check": ["all"],
        "generation": {
            "max-examples": job.cases_per_operation,
            "database": "none",
            "no-shrink": True,
            "with-security-parameters": False,
        },
        "phases": {
            "examples": own_data,
            "coverage": own_data,
            "fuzzing": own_data | {"error-feedback": {"enabled": False}},
            "stateful": {"enabled": False},
        },
        "operations": [
            # A header of any text cannot be wrong, so there is no invalid request to generate.
            {"include-name": name, "phases": {"fuzzing": {"generation": {"mode": "positive"}}}}
            for name in without_input
        ],
    }


def _server_path(document: dict[str, Any]) -> str:
    """The path under which the first server of the document serves (``/v1``); its host is the candidate's."""
    servers = document.get("servers")
    url = servers[0].get("url", "") if isinstance(servers, list) and servers else ""
    return "" if "{" in url else urlsplit(url).path.rstrip("/")


def _unanswered(event: events.NonFatalError) -> Failed:
    request = getattr(event.value, "request", None)
    url = urlsplit(getattr(request, "url", None) or "")
    body = getattr(request, "body", None)
    body = body.encode() if isinstance(body, str) else body
    body = body if isinstance(body, bytes) else None
    timed_out = isinstance(event.value, requests.Timeout)
    return Failed(
        check=NO_ANSWER,
        operation=event.label,
        status=None,
        count=1,
        message="no answer in time" if timed_out else _cut(f"the connection broke: {event.value}"),
        method=getattr(request, "method", None) or "",
        path=url.path + (f"?{url.query}" if url.query else ""),
        headers={
            str(name): _text(value) for name, value in (getattr(request, "headers", None) or {}).items()
        },
        body=None if body is None else body[:MOST_BODY_BYTES],
        body_bytes=len(body or b""),
    )


def _reason(reason: StopReason, *, budget_spent: bool) -> str:
    match reason:
        case StopReason.COMPLETED:
            return "completed"
        case StopReason.INTERRUPTED if budget_spent:
            return "budget"
        case (
            StopReason.INTERRUPTED
            | StopReason.FAILURE_LIMIT
            | StopReason.MAX_TIME
            | StopReason.SERVER_UNAVAILABLE
        ):
            return reason.value
        case _:
            assert_never(reason)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _cut(text: str) -> str:
    return " ".join(text.split())[:MOST_MESSAGE_CHARACTERS]
