"""The comparison of two OpenAPI documents."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.openapi.document import Document, Node
from harness.openapi.model import Change, Severity
from harness.openapi.operation import Operation, operation_changes, operations, unmodelled_change
from harness.openapi.parameters import path_shape
from harness.openapi.rules import change
from harness.openapi.schema import canonical
from harness.openapi.schema_diff import SchemaDiff
from harness.openapi.security import SecurityDiff, scheme_changes

_ORDER = tuple(Severity)


def diff(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    names: tuple[str, str] = ("old document", "new document"),
) -> list[Change]:
    """All changes from one OpenAPI 3.0 or 3.1 document to another, the most severe first.

    Only local references are followed. `oneOf` is compared as a union; callbacks and webhooks only
    as a whole.

    Args:
        old: What clients were written against.
        new: What replaces it.
        names: What errors call the two.

    Raises:
        OpenAPIError: a document is not OpenAPI, or too deep, large or entangled to compare.
    """
    before, after = Document(old, names[0]), Document(new, names[1])
    schemas = SchemaDiff(before, after)
    security = SecurityDiff.between(before, after)
    found = [*_document_changes(before, after, schemas), *scheme_changes(before, after)]
    for was, now in _pair_paths(before.paths(), after.paths()):
        if was is None and now is not None:
            path, item = now
            found.append(change("path-added", item.pointer, f"path {path} added", new=path))
        elif was is not None and now is None:
            path, item = was
            lost = ", ".join(each.name for each in operations(path, item, before).values()) or "no operation"
            message = f"path {path} removed ({lost})"
            found.append(change("path-removed", item.pointer, message, old=path))
        elif was is not None and now is not None:
            found += _item_changes(operations(*was, before), operations(*now, after), schemas, security)
    return _sorted(found)


def operation_names(document: Mapping[str, Any], *, name: str = "document") -> list[str]:
    """The operations of a document, such as `POST /predict`.

    Raises:
        OpenAPIError: as :func:`diff`.
    """
    checked = Document(document, name)
    return [
        operation.name
        for path, item in checked.paths().items()
        for operation in operations(path, item, checked).values()
    ]


def _document_changes(old: Document, new: Document, schemas: SchemaDiff) -> Iterator[Change]:
    if old.version != new.version:
        message = f"OpenAPI version was {old.version}, is {new.version}"
        yield change("openapi-version-changed", "/openapi", message, old=old.version, new=new.version)
    was, now = ([node.text("url") for node in each.root.elements("servers")] for each in (old, new))
    if canonical(was) != canonical(now):
        yield change("servers-changed", "/servers", f"servers were {was}, are {now}", old=was, new=now)
    yield from unmodelled_change(
        "webhooks-changed", old.root.child("webhooks"), new.root.child("webhooks"), schemas
    )


PathItem = tuple[str, Node]


def _pair_paths(
    old: Mapping[str, Node], new: Mapping[str, Node]
) -> Iterator[tuple[PathItem | None, PathItem | None]]:
    """Pair path items by their very path, and what is left by the shape of the template."""
    left: dict[str, list[PathItem]] = {}
    for path, item in sorted(new.items(), key=_path):
        if path not in old:
            left.setdefault(path_shape(path), []).append((path, item))
    for path, item in sorted(old.items(), key=_path):
        if path in new:
            yield (path, item), (path, new[path])
        else:
            same_shape = left.get(path_shape(path))
            yield (path, item), same_shape.pop(0) if same_shape else None
    for rest in left.values():
        for entry in rest:
            yield None, entry


def _path(entry: PathItem) -> str:
    return entry[0]


def _item_changes(
    old: Mapping[str, Operation], new: Mapping[str, Operation], schemas: SchemaDiff, security: SecurityDiff
) -> Iterator[Change]:
    for method, was in old.items():
        if method in new:
            now = new[method]
            found = [*operation_changes(was, now, schemas), *security.changes(was.node, now.node)]
            yield from (each.model_copy(update={"operation": now.name}) for each in found)
        else:
            removed = change("operation-removed", was.node.pointer, f"{was.name} removed", old=was.name)
            yield removed.model_copy(update={"operation": was.name})
    for method, now in new.items():
        if method not in old:
            added = change("operation-added", now.node.pointer, f"{now.name} added", new=now.name)
            yield added.model_copy(update={"operation": now.name})


def _sorted(changes: Iterable[Change]) -> list[Change]:
    """Each change once, in an order that does not depend on the order of keys."""
    distinct = {(each.operation, each.pointer, each.rule, each.message): each for each in changes}
    return [
        distinct[key] for key in sorted(distinct, key=lambda key: (_ORDER.index(distinct[key].severity), key))
    ]
