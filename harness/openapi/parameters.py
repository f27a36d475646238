"""Differences in the parameters of an operation."""

import re
from collections.abc import Iterator

from harness.openapi.document import Document, Node
from harness.openapi.media import media_changes
from harness.openapi.model import Change, Direction, show
from harness.openapi.rules import change
from harness.openapi.schema_diff import SchemaDiff

_TEMPLATE = re.compile(r"\{([^{}]*)\}")
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
# OpenAPI leaves these to the media types and the security schemes.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})

ParameterKey = tuple[str, str]
"""Where and under which name; a path parameter goes by its position in the template."""


def path_shape(path: str) -> str:
    """A path template without the names of its parameters."""
    return _TEMPLATE.sub("{}", path)


def parameters(path: str, item: Node, operation: Node, document: Document) -> dict[ParameterKey, Node]:
    """The parameters of an operation, those of its path included unless it overrides them.

    Raises:
        OpenAPIError: a parameter has no name, or is nowhere that OpenAPI knows.
    """
    positions = {name: str(index) for index, name in enumerate(_TEMPLATE.findall(path))}
    found: dict[ParameterKey, Node] = {}
    for holder in (item, operation):
        for element in holder.elements("parameters"):
            node = document.follow(element)
            name, where = node.text("name"), node.text("in")
            if name is None or where not in _STYLES:
                raise node.error(f"a parameter with a name, in one of {', '.join(_STYLES)}")
            if where == "header":
                name = name.lower()
                if name in _IGNORED_HEADERS:
                    continue
            found[where, positions.get(name, name) if where == "path" else name] = node
    return found


def parameter_changes(
    old: dict[ParameterKey, Node], new: dict[ParameterKey, Node], schemas: SchemaDiff
) -> Iterator[Change]:
    """Changes between the parameters of two operations."""
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was is None and now is not None:
            required = _is_required(now)
            rule = "request-required-parameter-added" if required else "request-parameter-added"
            necessity = "required" if required else "optional"
            yield change(rule, now.pointer, f"{necessity} {_label(now)} added", new=now.text("name"))
        elif was is not None and now is None:
            yield change(
                "request-parameter-removed", was.pointer, f"{_label(was)} removed", old=was.text("name")
            )
        elif was is not None and now is not None:
            yield from _pair_changes(was, now, schemas)


def _pair_changes(old: Node, new: Node, schemas: SchemaDiff) -> Iterator[Change]:
    label = _label(new)
    if new.text("in") == "path" and old.text("name") != new.text("name"):
        names = {"old": old.text("name"), "new": new.text("name")}
        message = f"path parameter {names['old']!r} is now called {names['new']!r}"
        yield change("path-parameter-renamed", new.pointer, message, **names)
    was, now = _is_required(old), _is_required(new)
    if was != now:
        effect = "required" if now else "optional"
        yield change(
            f"request-parameter-became-{effect}", new.pointer, f"{label} became {effect}", old=was, new=now
        )
    serialized = (_serialization(old), _serialization(new))
    if serialized[0] != serialized[1]:
        yield change(
            "request-parameter-serialization-changed",
            new.pointer,
            f"{label}: serialization was {show(serialized[0])}, is {show(serialized[1])}",
            old=serialized[0],
            new=serialized[1],
        )
    elif "content" in new.fields:
        yield from media_changes(old, new, Direction.REQUEST, schemas)
    else:
        yield from schemas.changes(old.child("schema"), new.child("schema"), Direction.REQUEST)


def _serialization(parameter: Node) -> str:
    if "content" in parameter.fields:
        return "by media type"
    style = parameter.text("style") or _STYLES[parameter.text("in") or ""]
    explode = parameter.flag("explode", default=style == "form")
    return f"{style}, {'exploded' if explode else 'not exploded'}"


def _is_required(parameter: Node) -> bool:
    return parameter.text("in") == "path" or parameter.flag("required")


def _label(parameter: Node) -> str:
    return f"{parameter.text('in')} parameter {parameter.text('name')!r}"
