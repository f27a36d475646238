"""Drives Schemathesis: its engine is no documented API, so the version is pinned exactly.

What is asked of the engine, and why:

- Phases ``examples``, ``coverage`` and ``fuzzing``; ``stateful`` where the contract links operations, and by
  these links only: others would be guessed from names.
- One worker, the run's seed, no database, no cache, nothing learnt from answers: the same seed sends the
  same requests, whatever the candidate answers.
- It goes on after a failure, so that each operation gets all its cases; hence it does not shrink. The
  shortest request of each kind of failure is kept, and made smaller afterwards (``schemathesis_case.py``).
- An operation that declares no input at all has but one valid request. It gets a header that nobody declares:
  recipients ignore unknown header fields (RFC 9110, section 5.1), so each of its requests stays valid.
"""

import copy
import time
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
    Answered,
    Applied,
    Broken,
    Ended,
    Failed,
    Job,
    Kind,
    Message,
    Planned,
    Replayed,
    Shrunk,
)
from harness.checks.fuzz.schemathesis_case import PROBING, Again, as_data
from harness.checks.fuzz.sent import cut, failed_of, unanswered

MOST_KINDS = 50
STATEFUL_STEPS = 4
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
        self._job = job
        # The engine numbers its requests in a header; unseeded, no two runs would send the same bytes.
        generation.RANDOM.seed(job.seed)
        document = copy.deepcopy(job.document)
        self._without_input = _give_input(document)
        self._stateful = has_links(document)
        config = SchemathesisConfig.from_dict(_config(job, document, self._without_input))
        self._schema = schemathesis.openapi.from_dict(document, config=config)
        self._counting = True
        self._kinds: dict[Kind, Failed] = {}
        self._unanswered: dict[str, str] = {}

        def after_call(_context: Any, case: Any, response: Response) -> None:
            self._count(case, response)

        def after_network_error(_context: Any, case: Any, _request: requests.PreparedRequest) -> None:
            self._unanswered[case.operation.label] = as_data(case)

        self._schema.hook("after_call")(after_call)
        self._schema.hook("after_network_error")(after_network_error)
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
                self._emit(Broken(message=cut(f"the contract has an unusable operation: {operation.err()}")))
        self._emit(Planned(operations=tuple(names), stateful=self._stateful))
        ended = Ended(reason="no end")
        for event in self._stream:
            for message in self._messages(event, stopped):
                if isinstance(message, Ended):
                    ended = message
                    continue
                if isinstance(message, Failed):
                    self._keep(message)
                self._emit(message)
        if ended.reason != "server_unavailable":
            self._shrink()
        self._emit(ended)

    def replay(self) -> None:
        """Send the stored cases of the job."""
        again = Again(self._schema, self._job)
        self._counting = False
        for index, (case, check) in enumerate(self._job.again):
            try:
                self._emit(Replayed(index=index, failed=again.ask(case, check)))
            except Exception as error:  # noqa: BLE001 - what cannot be sent is told, and is never a pass
                self._emit(Replayed(index=index, problem=cut(f"{type(error).__name__}: {error}")))
        self._emit(Ended(reason="completed"))

    def _keep(self, failed: Failed) -> None:
        known = self._kinds.get(failed.same)
        if known is not None:
            self._kinds[failed.same] = known.merged(failed)
        elif len(self._kinds) < MOST_KINDS:
            self._kinds[failed.same] = failed

    def _shrink(self) -> None:
        """Make each kind of failure smaller, as long as the time lasts."""
        again = Again(self._schema, self._job)
        self._counting = False
        deadline = time.monotonic() + self._job.shrink_budget_s
        for kind, failed in self._kinds.items():
            if failed.case and time.monotonic() < deadline:
                smallest = again.smallest(failed, lambda: time.monotonic() < deadline)
                self._emit(Shrunk(of=kind, again=smallest is not None, failed=smallest))

    def _count(self, case: Any, response: Response) -> None:
        """Count a request; those with another method than the operation's are probes of the engine."""
        if self._counting and case.meta is not None and case.method.upper() == case.operation.method.upper():
            valid = case.meta.generation.mode.is_positive
            self._emit(Answered(operation=case.operation.label, valid=valid, status=response.status_code))

    def _messages(self, event: events.EngineEvent, stopped: Callable[[], bool]) -> Iterator[Message]:
        match event:
            case events.ScenarioFinished():
                yield from self._scenario(event.recorder)
            case events.NonFatalError(value=requests.RequestException() as error):
                case = self._unanswered.pop(event.label, "")
                yield unanswered(error, event.label).model_copy(update={"case": case})
            case events.NonFatalError(value=ServerUnavailable()):
                pass  # the stop reason says so
            case events.NonFatalError():
                yield Broken(message=cut(f"{event.label}: {event.info.title}: {event.info.message}"))
            case events.FatalError():
                yield Broken(message=cut(f"{type(event.exception).__name__}: {event.exception}"))
            case events.Interrupted() if not stopped():
                yield Broken(message="the engine was interrupted")
            case events.EngineFinished():
                yield Ended(reason=_reason(event.stop_reason, budget_spent=stopped()))
            case _:
                pass

    def _scenario(self, recorder: ScenarioRecorder) -> Iterator[Message]:
        applied: Counter[str] = Counter()
        failures: dict[Kind, Failed] = {}
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
                message = f"{failure.title}: {failure.message}"
                failed = self._failed(check.name, message, shown, recorder, case_id)
                known = failures.get(failed.same)
                failures[failed.same] = failed if known is None else known.merged(failed)
        if applied:
            yield Applied(checks=dict(applied))
        yield from failures.values()

    def _failed(
        self, check: str, message: str, shown: Interaction, recorder: ScenarioRecorder, case_id: str
    ) -> Failed:
        request, response = shown.request, shown.response
        node = recorder.cases.get(case_id)
        if check == PROBING and node is not None and node.parent_id is not None:
            node = recorder.cases.get(node.parent_id, node)
        body = request.body or b""
        failed = failed_of(
            check,
            recorder.label if node is None else node.value.operation.label,
            message,
            method=request.method,
            url=request.uri,
            headers={name: values[0] for name, values in request.headers.items()},
            body=request.body if request.body is None else body,
            body_bytes=max(len(body), request.body_size or 0),
            status=None if response is None else response.status_code,
            content=b"" if response is None else response.content,
        )
        return failed if node is None else failed.model_copy(update={"case": as_data(node.value)})


def has_links(document: dict[str, Any]) -> bool:
    """Whether an operation of an OpenAPI document declares a link to another."""
    operations = (
        operation
        for item in document.get("paths", {}).values()
        if isinstance(item, dict)
        for operation in item.values()
        if isinstance(operation, dict)
    )
    responses = (
        response
        for operation in operations
        for response in operation.get("responses", {}).values()
        if isinstance(response, dict)
    )
    components = document.get("components", {}).get("responses", {})
    return any("links" in response for response in (*responses, *components.values()))


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
        "max-redirects": 0,
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
            "stateful": {
                "enabled": has_links(document),
                "max-steps": STATEFUL_STEPS,
                "inference": {"algorithms": []},
                "link-calibration": False,
            },
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
