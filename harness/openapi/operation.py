"""Differences between two operations: parameters, bodies, responses and headers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.openapi.document import Document, Node
from harness.openapi.fingerprint import fingerprint
from harness.openapi.media import media_changes
from harness.openapi.model import Change, Direction, show
from harness.openapi.parameters import ParameterKey, parameter_changes, parameters
from harness.openapi.rules import change
from harness.openapi.schema_diff import SchemaDiff

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_PARAMETER = re.compile(r"\\\{[^{}]*\\\}")
_STATUS = re.compile(r"[1-5](\d\d|XX)|DEFAULT")
_ERROR_STATUS = ("4", "5")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    path: str
    method: str
    node: Node
    parameters: dict[ParameterKey, Node]

    @property
    def name(self) -> str:
        """Such as `POST /predict`."""
        return f"{self.method.upper()} {self.path}"

    def takes(self, method: str, path: str) -> bool:
        """Whether a request with this path, its query left aside, is one to this operation."""
        pattern = _PARAMETER.sub("[^/]+", re.escape(self.path))
        return method.lower() == self.method and bool(re.fullmatch(pattern, path.partition("?")[0]))


def operations(path: str, item: Node, document: Document) -> dict[str, Operation]:
    """The operations of a path by method.

    Raises:
        OpenAPIError: an operation or one of its parameters cannot be read.
    """
    found = {}
    for method in METHODS:
        node = item.child(method)
        if node is not None:
            found[method] = Operation(path, method, node, parameters(path, item, node, document))
    return found


def operation_changes(old: Operation, new: Operation, schemas: SchemaDiff) -> Iterator[Change]:
    """Changes between two operations, security aside."""
    yield from _prose(old.node, new.node)
    yield from parameter_changes(old.parameters, new.parameters, schemas)
    yield from _body(old.node, new.node, schemas)
    yield from _responses(old.node, new.node, schemas)
    was, now = old.node.child("callbacks"), new.node.child("callbacks")
    yield from unmodelled_change("callbacks-changed", was, now, schemas)


def unmodelled_change(rule: str, old: Node | None, new: Node | None, schemas: SchemaDiff) -> Iterator[Change]:
    """One change where a part differs that is compared only as a whole."""
    marks = (
        fingerprint(schemas.old.document, old) if old and old.body else "",
        fingerprint(schemas.new.document, new) if new and new.body else "",
    )
    seen = new or old
    if marks[0] != marks[1] and seen is not None:
        yield change(rule, seen.pointer, f"{rule.replace('-', ' ')}; this part is compared only as a whole")


def _prose(old: Node, new: Node) -> Iterator[Change]:
    if new.flag("deprecated") and not old.flag("deprecated"):
        yield change("operation-deprecated", new.pointer, "operation is now deprecated", old=False, new=True)
    was, now = old.text("operationId"), new.text("operationId")
    if was != now:
        message = f"operationId was {show(was)}, is {show(now)}"
        yield change("operation-id-changed", new.pointer, message, old=was, new=now)


def _body(old: Node, new: Node, schemas: SchemaDiff) -> Iterator[Change]:
    was, now = old.child("requestBody"), new.child("requestBody")
    was = schemas.old.document.follow(was) if was else None
    now = schemas.new.document.follow(now) if now else None
    if was is None and now is not None:
        required = now.flag("required")
        rule = "request-required-body-added" if required else "request-body-added"
        yield change(rule, now.pointer, f"{'required' if required else 'optional'} request body added")
    elif was is not None and now is None:
        yield change("request-body-removed", was.pointer, "request body removed")
    elif was is not None and now is not None:
        needed = (was.flag("required"), now.flag("required"))
        if needed[0] != needed[1]:
            effect = "required" if needed[1] else "optional"
            message = f"request body became {effect}"
            yield change(f"request-body-became-{effect}", now.pointer, message, old=needed[0], new=needed[1])
        yield from media_changes(was, now, Direction.REQUEST, schemas)


def _responses(old: Node, new: Node, schemas: SchemaDiff) -> Iterator[Change]:
    before = responses_by_status(old, schemas.old.document)
    after = responses_by_status(new, schemas.new.document)
    covered = set()
    for status, was in before.items():
        # 2XX documents 200 just as well; `default` would lose which statuses are meant.
        partner = status if status in after else f"{status[0]}XX"
        if partner not in after:
            yield change(
                "response-status-removed", was.pointer, f"response status {status} removed", old=status
            )
            continue
        covered.add(partner)
        yield from _headers(was, after[partner], schemas)
        yield from media_changes(was, after[partner], Direction.RESPONSE, schemas)
    for status, now in after.items():
        if status not in covered:
            documented = "DEFAULT" in before or f"{status[0]}XX" in before
            unexpected = status.startswith(_ERROR_STATUS) and not documented
            rule = "response-error-status-added" if unexpected else "response-status-added"
            yield change(rule, now.pointer, f"response status {status} added", new=status)


def responses_by_status(operation: Node, document: Document) -> dict[str, Node]:
    """The responses of an operation by status, upper case, references followed.

    Raises:
        OpenAPIError: a key is no status.
    """
    found = {}
    for status, node in operation.keyed("responses", str.upper).items():
        if status.startswith("X-"):
            continue
        if not _STATUS.fullmatch(status):
            raise node.error("a status such as 200, 2XX or default as key")
        found[status] = document.follow(node)
    return found


def _headers(old: Node, new: Node, schemas: SchemaDiff) -> Iterator[Change]:
    before, after = headers_by_name(old, schemas.old.document), headers_by_name(new, schemas.new.document)
    for name, was in before.items():
        if name not in after:
            yield change(
                "response-header-removed", was.pointer, f"response header {name!r} removed", old=name
            )
            continue
        now = after[name]
        needed = (was.flag("required"), now.flag("required"))
        if needed[0] != needed[1]:
            effect = "required" if needed[1] else "optional"
            message = f"response header {name!r} became {effect}"
            yield change(
                f"response-header-became-{effect}", now.pointer, message, old=needed[0], new=needed[1]
            )
        yield from schemas.changes(was.child("schema"), now.child("schema"), Direction.RESPONSE)
        yield from media_changes(was, now, Direction.RESPONSE, schemas)
    for name, now in after.items():
        if name not in before:
            yield change("response-header-added", now.pointer, f"response header {name!r} added", new=name)


def headers_by_name(response: Node, document: Document) -> dict[str, Node]:
    """The headers of a response by name, lower case, references followed."""
    headers = {name: document.follow(node) for name, node in response.keyed("headers", str.lower).items()}
    # OpenAPI leaves this one to the media types.
    headers.pop("content-type", None)
    return headers
