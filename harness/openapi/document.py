"""A checked OpenAPI document, and a cursor into it that knows where it stands."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from harness.openapi.model import OpenAPIError
from harness.pointer import PointerError, resolve

MAX_DEPTH = 128
"""Deepest nesting of objects and lists in a document."""
MAX_VALUES = 1_000_000
"""Most values in a document, counting what a YAML alias repeats."""
MAX_POINTER_CHARACTERS = 256_000_000
"""Most characters in the JSON pointers to all values together: a long key stands in that of each below it."""
MAX_STEPS = 3_000_000
"""Most steps one comparison may take; real documents take thousands."""
_MAX_NUMBER_BITS = 1024

_VERSION = re.compile(r"3\.[01](\.\d+)?(-[\w.]+)?")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value of a document together with its place; reading it wrongly is an `OpenAPIError`."""

    document: str
    pointer: str
    body: Any

    def error(self, allowed: str) -> OpenAPIError:
        """Say that this value is not what may stand here."""
        return OpenAPIError(self.pointer, self.body, allowed, document=self.document)

    def exceeds(self, limit: str) -> OpenAPIError:
        """Say that this place takes the document over a limit of size."""
        return OpenAPIError(self.pointer, self.body, f"at most {limit}", document=self.document)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The value as an object."""
        if not isinstance(self.body, dict):
            raise self.error("an object")
        return self.body

    def child(self, key: str) -> "Node | None":
        """The value under a key, or None where the key is absent."""
        fields = self.fields
        return Node(self.document, join(self.pointer, key), fields[key]) if key in fields else None

    def members(self, key: str) -> dict[str, "Node"]:
        """The members of the object under a key; none where the key is absent."""
        holder = self.child(key)
        return {} if holder is None else holder.entries()

    def entries(self) -> dict[str, "Node"]:
        """The members of this object."""
        return {
            name: Node(self.document, join(self.pointer, name), value) for name, value in self.fields.items()
        }

    def keyed(self, key: str, normal: Callable[[str], str]) -> dict[str, "Node"]:
        """The members of the object under a key by their normal names.

        Raises:
            OpenAPIError: two members mean the same name.
        """
        found: dict[str, Node] = {}
        for name, node in self.members(key).items():
            if normal(name) in found:
                raise node.error(f"a key that no other one equals ({normal(name)!r} stands here twice)")
            found[normal(name)] = node
        return found

    def elements(self, key: str) -> list["Node"]:
        """The elements of the list under a key; none where the key is absent."""
        holder = self.child(key)
        if holder is None:
            return []
        if not isinstance(holder.body, list):
            raise holder.error("a list")
        return [
            Node(self.document, join(holder.pointer, str(index)), value)
            for index, value in enumerate(holder.body)
        ]

    def flag(self, key: str, *, default: bool = False) -> bool:
        """The boolean under a key."""
        value = self.child(key)
        if value is None:
            return default
        if not isinstance(value.body, bool):
            raise value.error("true or false")
        return value.body

    def text(self, key: str) -> str | None:
        """The text under a key, or None where the key is absent."""
        value = self.child(key)
        return None if value is None else value.as_text()

    def as_text(self) -> str:
        """This value as a text."""
        if not isinstance(self.body, str):
            raise self.error("a text")
        return self.body

    def names(self, key: str) -> list[str]:
        """The list of texts under a key; empty where the key is absent."""
        return [element.as_text() for element in self.elements(key)]

    def number(self, key: str) -> int | float | None:
        """The number under a key, or None where the key is absent."""
        value = self.child(key)
        if value is None:
            return None
        if isinstance(value.body, bool) or not isinstance(value.body, int | float):
            raise value.error("a number")
        return value.body


class Document:
    """An OpenAPI 3.0 or 3.1 document whose size, depth and outer shape were checked."""

    def __init__(self, body: object, name: str) -> None:
        """Check a document.

        Args:
            body: what the document's JSON holds.
            name: how errors call it, such as `old`.

        Raises:
            OpenAPIError: it is not JSON, too deep or large, or not OpenAPI 3.0 or 3.1 with paths.
        """
        self.root = Node(name, "", body)
        _check_json(self.root)
        version = self.root.child("openapi")
        if version is None:
            raise self.root.error("an object with the key openapi")
        if not _VERSION.fullmatch(version.as_text()):
            raise version.error("a version 3.0.x or 3.1.x")
        if self.root.child("paths") is None:
            raise self.root.error("an object with the key paths")
        self.version = version.as_text()
        self.ignores_ref_siblings = self.version.startswith("3.0")

    def paths(self) -> dict[str, Node]:
        """The path items by path template."""
        found = {}
        for path, item in self.root.members("paths").items():
            if path.startswith("x-"):
                continue
            if not path.startswith("/"):
                raise item.error("a path that begins with / (or an x- extension) as key")
            found[path] = self.follow(item)
        return found

    def component(self, section: str) -> dict[str, Node]:
        """The components of one section, such as `securitySchemes`, references followed."""
        components = self.root.child("components")
        members = {} if components is None else components.members(section)
        return {name: self.follow(node) for name, node in members.items()}

    def follow(self, node: Node) -> Node:
        """Follow local references until something that is none.

        Raises:
            OpenAPIError: the reference is remote, leads nowhere or back to itself.
        """
        seen = set()
        while "$ref" in node.fields:
            if node.pointer in seen:
                raise node.error("a reference that does not lead back to itself")
            seen.add(node.pointer)
            node = self.target(node)
        return node

    def target(self, node: Node) -> Node:
        """What the reference in a node points at, one step only."""
        reference = node.child("$ref")
        if reference is None:
            raise node.error("an object with the key $ref")
        text = reference.as_text()
        if not (text == "#" or text.startswith("#/")):
            raise reference.error("a reference into this document, such as #/components/schemas/Name")
        pointer = unquote(text[1:])
        try:
            return Node(self.root.document, pointer, resolve(self.root.body, pointer))
        except PointerError:
            raise reference.error("a reference to something that this document holds") from None


class Budget:
    """Bounds the work of one comparison, whatever the documents hold."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int, node: Node) -> None:
        """Take steps from the budget; an `OpenAPIError` that names `node` when it is used up."""
        self._left -= steps
        if self._left < 0:
            raise node.exceeds(f"{MAX_STEPS} steps of comparison")


def join(pointer: str, key: str) -> str:
    """Extend a JSON pointer by one key."""
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def _check_json(root: Node) -> None:
    """Check without recursion that a value is finite JSON of bounded depth and size."""
    pending = [(root, 0)]
    count = characters = 0
    while pending:
        node, depth = pending.pop()
        count += 1
        # Before the nodes are made: a few megabytes of JSON could otherwise take all memory.
        if count + len(pending) + _size(node) > MAX_VALUES:
            raise node.exceeds(f"{MAX_VALUES} values in a document")
        characters += _pointer_characters(node)
        if characters > MAX_POINTER_CHARACTERS:
            raise node.exceeds(f"{MAX_POINTER_CHARACTERS} characters in the JSON pointers to all values")
        _check_scalar(node)
        if depth == MAX_DEPTH and isinstance(node.body, dict | list) and node.body:
            raise node.exceeds(f"{MAX_DEPTH} levels of nesting")
        pending.extend((child, depth + 1) for child in _inner(node))


def _size(node: Node) -> int:
    return len(node.body) if isinstance(node.body, dict | list) else 0


def _pointer_characters(node: Node) -> int:
    """Of the pointers to what is right inside, about."""
    keys = node.body if isinstance(node.body, dict) else ()
    return len(node.pointer) * _size(node) + sum(len(key) for key in keys if isinstance(key, str))


def _inner(node: Node) -> Iterator[Node]:
    if isinstance(node.body, dict):
        for key, value in node.body.items():
            if not isinstance(key, str):
                raise OpenAPIError(node.pointer, key, "a text as key", document=node.document)
            _check_text(key, node)
            yield Node(node.document, join(node.pointer, key), value)
    elif isinstance(node.body, list):
        for index, value in enumerate(node.body):
            yield Node(node.document, join(node.pointer, str(index)), value)


def _check_scalar(node: Node) -> None:
    match node.body:
        case None | bool() | dict() | list():
            return
        case str() as text:
            _check_text(text, node)
        case int() as number if number.bit_length() < _MAX_NUMBER_BITS:
            return
        case float() as number if math.isfinite(number):
            return
        case int() | float():
            raise node.error("a finite number within ±1e308")
        case _:
            raise node.error("an object, list, text, number, boolean or null")


def _check_text(text: str, node: Node) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise OpenAPIError(node.pointer, text, "text in valid Unicode", document=node.document) from None
