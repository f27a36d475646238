"""Which operation is the one to ask: a POST with a JSON body; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UsageError
from harness.openapi.document import Document, Node
from harness.openapi.media import normal_media_type
from harness.openapi.operation import Operation, operations
from harness.reports.text import one_line

JSON = "application/json"
TAKEN = (JSON, "application/*", "*/*")


@dataclass(frozen=True)
class Asked:
    """What is asked.

    Attributes:
        path: Complete.
        schema: Of the body; None where no document has it.
        examples: Bodies that the document gives.
    """

    path: str
    schema: Node | None = None
    examples: tuple[Any, ...] = ()


def choose(
    document: Document | None, wanted: str | None, *, has_request: bool, problems: Sequence[str] = ()
) -> Asked:
    """The endpoint that the user named, or the only one there is.

    Args:
        document: Of the service; None without one.
        wanted: ``/predict`` or ``POST /predict``; None for the only one.
        has_request: Whether the user gave a body, so that nothing needs to be documented.
        problems: What was found in place of a document.

    Raises:
        UsageError: there is none, or none of that name, or several, or it has a path that can't be sent.
        OpenAPIError: the document can't be read there.
    """
    path = None if wanted is None else _path(wanted)
    if document is None:
        if path is None or not has_request:
            instead = f": {one_line(problems[-1])}" if problems else ""
            raise UsageError(
                f"nothing tells what to ask the service, it serves no OpenAPI document{instead}",
                fix="--endpoint /predict --request body.json, with a body that it takes; "
                "or --openapi, where it serves one",
            )
        return Asked(path)
    found = list(json_posts(document))
    listed = ", ".join(one_line(operation.name) for operation, _ in found) or "none"
    if path is None:
        if not found:
            raise UsageError(
                "its document has no POST with a JSON body", fix="--endpoint PATH with --request FILE"
            )
        if len(found) > 1:
            raise UsageError(
                f"which operation computes? Several are a POST with a JSON body: {listed}",
                fix="--endpoint PATH names it",
            )
        path = _sendable(found[0][0].path)
    if "{" in path:
        raise UsageError(f"{path} has parameters", fix="--endpoint with values in their place")
    for operation, media in found:
        if operation.takes("POST", path):
            return Asked(path, media.child("schema"), tuple(_examples(document, media)))
    if not has_request:
        raise UsageError(
            f"--endpoint {wanted}: its document has no such POST with a JSON body", fix=f"one of: {listed}"
        )
    return Asked(path)


def _path(wanted: str) -> str:
    method, _, path = wanted.rpartition(" ")
    if method not in {"", "POST"} or not path.startswith("/"):
        raise UsageError(
            f"--endpoint {one_line(wanted)}: not the path of a POST", fix="such as --endpoint /predict"
        )
    return _sendable(path)


def _sendable(path: str) -> str:
    if not path.isprintable():
        raise UsageError(
            f"POST {one_line(path)}: a path with characters that are not to be printed",
            fix="--endpoint with a path that a URL can have",
        )
    return path


def json_posts(document: Document) -> Iterator[tuple[Operation, Node]]:
    """The operations that take JSON by POST, each with its media type."""
    for path, item in document.paths().items():
        operation = operations(path, item, document).get("post")
        body = None if operation is None else operation.node.child("requestBody")
        if operation is None or body is None:
            continue
        content = document.follow(body).members("content")
        by_type = {normal_media_type(name).partition(";")[0]: media for name, media in content.items()}
        media = next((by_type[name] for name in TAKEN if name in by_type), None)
        if media is not None:
            yield operation, media


def _examples(document: Document, media: Node) -> Iterator[Any]:
    if (one := media.child("example")) is not None:
        yield one.body
    for example in media.members("examples").values():
        if (value := document.follow(example).child("value")) is not None:
            yield value.body
