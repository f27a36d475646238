"""The requests that provoke each documented status: the valid one of an operation, and what is made of it."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.checks.contract.settings import ProvokeSettings, ResponsesSettings, ValidRequest
from harness.http_request import Request, build
from harness.openapi.answers import DocumentedOperation
from harness.reproduce import curl, redacted
from harness.template import TemplateError

Headers = Callable[[str | None], Mapping[str, str]]
"""The headers that present a credential of the suite."""


class PlanError(ValueError):
    """What the suite declares does not fit the document.

    Attributes:
        key: The key of gate.toml that is wrong.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key


@dataclass(frozen=True)
class Provocation:
    """A request to an operation, sent at most ``times`` until it is answered with ``status``.

    Attributes:
        padding_bytes: Spaces to send after its body.
    """

    operation: str
    status: int
    request: Request
    times: int = 1
    padding_bytes: int = 0

    def whole(self) -> Request:
        """The request with all of its body."""
        if not self.padding_bytes:
            return self.request
        return replace(self.request, body=(self.request.body or b"") + b" " * self.padding_bytes)

    def command(self, base_url: str, redact: Callable[[str], str]) -> str:
        """A shell command that sends it; a padding is made by the shell."""
        shown = redacted(self.request, redact)
        if not self.padding_bytes:
            return curl(shown, base_url)
        text = shlex.quote((shown.body or b"").decode("utf-8", "backslashreplace"))
        pad = f"printf '%*s' {self.padding_bytes} ''"
        return (
            f"{{ printf %s {text}; {pad}; }} | {curl(replace(shown, body=None), base_url)} --data-binary @-"
        )


def plan(
    operations: Sequence[DocumentedOperation],
    settings: ResponsesSettings,
    values: Mapping[str, Any],
    headers: Headers,
) -> list[Provocation]:
    """All requests, the valid ones first.

    Raises:
        PlanError: a request is to no operation, or changes a body that is none; or a status has neither
            a request nor a reason.
    """
    valid: dict[str, ValidRequest] = {}
    for template in settings.valid:
        asked = f"{template.method} {template.path}"
        operation = next((each for each in operations if each.takes(template.method, template.path)), None)
        if operation is None:
            raise PlanError("valid", f"{asked} is no operation of the frozen document")
        valid[operation.name] = template
    _require_known(operations, settings)
    by_name = {operation.name: operation for operation in operations}
    try:
        made = [
            Provocation(name, template.status, build(template, values, headers(template.credential)))
            for name, template in valid.items()
        ]
        for change in settings.provoke:
            made += [
                Provocation(
                    operation=name,
                    status=change.status,
                    request=_changed(valid[name], change, values, headers),
                    times=change.times,
                    padding_bytes=change.padding_bytes,
                )
                for name in _targets(by_name, valid, change)
            ]
    except TemplateError as error:
        raise PlanError("valid", str(error)) from error
    _require_complete(operations, settings, made)
    return made


def reachable(
    operations: Sequence[DocumentedOperation], settings: ResponsesSettings
) -> Iterator[tuple[DocumentedOperation, str]]:
    """Every documented status of an operation that is not declared unreachable."""
    for operation in operations:
        unreachable = {
            operation.key(status)
            for declared in settings.unreachable
            if declared.operations is None or operation.name in declared.operations
            for status in declared.statuses
        }
        yield from ((operation, key) for key in operation.answers if key not in unreachable)


def _targets(
    by_name: Mapping[str, DocumentedOperation], valid: Mapping[str, ValidRequest], change: ProvokeSettings
) -> list[str]:
    """The named operations, or all whose document has the status."""
    if change.operations is None:
        return [name for name in valid if by_name[name].key(change.status) is not None]
    if unasked := [name for name in change.operations if name not in valid]:
        raise PlanError("provoke", f"{unasked[0]} has no valid request to change")
    return list(change.operations)


def _changed(
    template: ValidRequest, change: ProvokeSettings, values: Mapping[str, Any], headers: Headers
) -> Request:
    credential = change.credential or template.credential
    request = build(template, values, {} if change.anonymous else headers(credential))
    body = request.body
    if change.members:
        document = json.loads(body or b"null")
        if not isinstance(document, dict):
            raise PlanError("provoke", f"members change a JSON object, and {template.path} has none as body")
        body = json.dumps(document | change.members, separators=(",", ":")).encode()
    if change.text is not None:
        body = change.text.encode()
    replaced = {name.lower() for name in change.headers}
    kept = {name: value for name, value in request.headers.items() if name.lower() not in replaced}
    return Request(request.method, request.path, kept | change.headers, body)


def _require_known(operations: Sequence[DocumentedOperation], settings: ResponsesSettings) -> None:
    names = [operation.name for operation in operations]
    for key, declared in (("provoke", settings.provoke), ("unreachable", settings.unreachable)):
        for entry in declared:
            if unknown := [name for name in entry.operations or () if name not in names]:
                raise PlanError(key, f"{unknown[0]} is none of the operations: {', '.join(names)}")


def _require_complete(
    operations: Sequence[DocumentedOperation], settings: ResponsesSettings, made: Sequence[Provocation]
) -> None:
    provoked = {(each.operation, each.status) for each in made}
    for operation, key in reachable(operations, settings):
        if not any(name == operation.name and operation.key(status) == key for name, status in provoked):
            raise PlanError(
                "unreachable",
                f"{operation.name} documents {key}, which no request provokes nor a reason excludes",
            )
