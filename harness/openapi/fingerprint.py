"""Equality of parts that are compared only as a whole."""

from typing import Any

from harness.openapi.document import Document, Node, join
from harness.openapi.schema import canonical

_ANNOTATIONS = frozenset({"title", "summary", "description", "$comment"})


def fingerprint(document: Document, node: Node) -> str:
    """A text that is equal for parts that mean the same, with all that they refer to.

    Raises:
        OpenAPIError: a reference leads out of the document or nowhere.
    """
    found: dict[str, Any] = {"": _without_annotations(node.body)}
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part.body, dict) and isinstance(part.body.get("$ref"), str):
            target = document.target(part)
            if target.pointer not in found:
                found[target.pointer] = _without_annotations(target.body)
                pending.append(target)
        if isinstance(part.body, dict):
            pending.extend(part.entries().values())
        elif isinstance(part.body, list):
            pending.extend(Node(part.document, join(part.pointer, "-"), value) for value in part.body)
    return canonical(found)


def _without_annotations(value: Any) -> Any:
    if isinstance(value, dict):
        # Only where it is a text: a property may bear such a name, and is then a schema.
        return {
            key: _without_annotations(inner)
            for key, inner in value.items()
            if not (key in _ANNOTATIONS and isinstance(inner, str))
        }
    return [_without_annotations(inner) for inner in value] if isinstance(value, list) else value
