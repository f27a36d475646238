"""Schemas as unions of conjunctions, so that every way to write the same thing compares equal.

A schema is a tuple of nodes that must all hold (the empty tuple accepts anything). Expanding it
follows references, gathers `allOf`, and spreads `anyOf` and `oneOf` into alternatives, each a
conjunction with its JSON types. `oneOf` is read as a union: that branches exclude each other is
not compared, nor what `not` and its like say of null. Null is one of the types, so
`nullable: true`, `type: [.., "null"]` and an `anyOf` with null are the same.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.openapi.document import Budget, Document, Node
from harness.openapi.model import OpenAPIError

MAX_ALTERNATIVES = 256
"""Most alternatives one schema may spread into."""
MAX_COMPOSITION = 64
"""Longest chain of references and compositions that leads to a schema's keywords."""
MAX_EXPANSIONS = 10_000
"""Most schema objects that one schema may be composed of, repeated ones counted again."""

Schema = tuple[Node, ...]

# `number` is integers and fractions, which makes widening and narrowing plain set relations.
_ATOMS = {
    "null": ("null",),
    "boolean": ("boolean",),
    "string": ("string",),
    "integer": ("integer",),
    "number": ("integer", "fraction"),
    "object": ("object",),
    "array": ("array",),
}
# A bool is an int in Python, so the order counts.
_PYTHON_TYPES = (
    (type(None), "null"),
    (bool, "boolean"),
    (int, "integer"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
ALL_TYPES = frozenset(atom for atoms in _ATOMS.values() for atom in atoms)
NUMERIC = frozenset({"integer", "fraction"})


@dataclass(frozen=True, slots=True)
class Alternative:
    """A conjunction of schema objects, and the JSON types that all of them allow."""

    nodes: Schema
    types: frozenset[str]

    @property
    def key(self) -> tuple[tuple[str, ...], frozenset[str]]:
        """What tells this alternative from the others of its document."""
        return pointers(self.nodes), self.types

    def having(self, keyword: str) -> list[Node]:
        """The schema objects that carry a keyword."""
        return [node for node in self.nodes if keyword in node.fields]

    def children(self, keyword: str) -> Schema:
        """The values under a keyword, one for each schema object that carries it."""
        return tuple(child for node in self.nodes if (child := node.child(keyword)) is not None)


ANYTHING = Alternative((), ALL_TYPES)


class SchemaReader:
    """Expands the schemas of one document."""

    def __init__(self, document: Document, budget: Budget) -> None:
        self.document = document
        self._budget = budget
        self._expansions = 0
        self._known: dict[tuple[str, ...], tuple[Alternative, ...]] = {}

    def alternatives(self, schema: Schema) -> tuple[Alternative, ...]:
        """Spread a schema into alternatives; none means that no value is valid.

        Raises:
            OpenAPIError: a keyword has the wrong type, or the composition is too deep or wide.
        """
        if not schema:
            return (ANYTHING,)
        key = pointers(schema)
        if key not in self._known:
            spread: tuple[Alternative, ...] = (ANYTHING,)
            self._expansions = 0
            for node in schema:
                spread = _both(spread, self._expand(node, {}, 0), node)
            self._budget.spend(self._expansions, schema[0])
            self._known[key] = spread
        return self._known[key]

    def _expand(self, node: Node, path: dict[str, int], unions: int) -> tuple[Alternative, ...]:
        self._count(node)
        if isinstance(node.body, bool):
            return (ANYTHING,) if node.body else ()
        if node.pointer in path:
            # Within a union the schema adds nothing to itself; within a conjunction it demands nothing more.
            return () if unions > path[node.pointer] else (ANYTHING,)
        if len(path) == MAX_COMPOSITION:
            raise node.exceeds(f"{MAX_COMPOSITION} references and compositions in a chain")
        path = path | {node.pointer: unions}
        spread: tuple[Alternative, ...] = (ANYTHING,)
        if "$ref" in node.fields:
            spread = self._expand(self.document.target(node), path, unions)
            if self.document.ignores_ref_siblings:
                return spread
        spread = _both(spread, (Alternative((node,), _own_types(node)),), node)
        for member in node.elements("allOf"):
            spread = _both(spread, self._expand(member, path, unions), node)
        for keyword in ("anyOf", "oneOf"):
            if members := node.elements(keyword):
                branches = [self._expand(member, path, unions + 1) for member in members]
                spread = _both(
                    spread, _distinct(alternative for each in branches for alternative in each), node
                )
        if _is_nullable_composition(node):
            spread = _distinct((*spread, Alternative((), frozenset({"null"}))))
        return spread

    def _count(self, node: Node) -> None:
        self._expansions += 1
        if self._expansions > MAX_EXPANSIONS:
            raise node.exceeds(f"{MAX_EXPANSIONS} parts in a schema")


def pointers(schema: Schema) -> tuple[str, ...]:
    """Where the parts of a schema stand."""
    return tuple(node.pointer for node in schema)


def type_names(types: Iterable[str]) -> list[str]:
    """JSON Schema's names of a set of types, sorted."""
    names = set(types)
    if "fraction" in names:
        names = names - NUMERIC | {"number"}
    return sorted(names)


def enum_values(node: Node) -> list[Any] | None:
    """The values that `enum` or `const` of one schema object allow; None where all are."""
    if "const" in node.fields:
        return [node.fields["const"]]
    return [element.body for element in node.elements("enum")] if "enum" in node.fields else None


def canonical(value: Any) -> str:
    """A text that is equal for equal JSON values: order of keys and `1` against `1.0` do not count."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_nullable_composition(node: Node) -> bool:
    # 3.0 gives `nullable` a meaning only beside `type`; generators write it beside compositions as well.
    if not node.flag("nullable") or "type" in node.fields:
        return False
    return any(keyword in node.fields for keyword in ("allOf", "anyOf", "oneOf"))


def _own_types(node: Node) -> frozenset[str]:
    values = enum_values(node)
    if values == []:
        return frozenset()
    nullable = node.flag("nullable")
    declared = node.child("type")
    if declared is None:
        return ALL_TYPES if values is None else frozenset(map(_atom, values))
    names = [declared.as_text()] if isinstance(declared.body, str) else node.names("type")
    if unknown := [name for name in names if name not in _ATOMS]:
        raise OpenAPIError(
            declared.pointer, unknown[0], f"one of {', '.join(_ATOMS)}", document=declared.document
        )
    types = frozenset(atom for name in names for atom in _ATOMS[name])
    if nullable:
        return types | {"null"}
    if values is not None and None not in values:
        return types - {"null"}
    return types


def _atom(value: Any) -> str:
    if isinstance(value, float):
        return "integer" if value.is_integer() else "fraction"
    return next(name for kind, name in _PYTHON_TYPES if isinstance(value, kind))


def _both(left: Sequence[Alternative], right: Sequence[Alternative], node: Node) -> tuple[Alternative, ...]:
    """Conjunction of two unions: every pair of alternatives whose types meet."""
    if len(left) * len(right) > MAX_ALTERNATIVES:
        raise node.exceeds(f"{MAX_ALTERNATIVES} alternatives in a schema")
    return _distinct(
        Alternative(tuple({part.pointer: part for part in (*one.nodes, *other.nodes)}.values()), types)
        for one in left
        for other in right
        if (types := one.types & other.types)
    )


def _distinct(alternatives: Iterable[Alternative]) -> tuple[Alternative, ...]:
    return tuple({alternative.key: alternative for alternative in alternatives}.values())
