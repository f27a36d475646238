"""Differences between two conjunctions in the schemas they hold: properties and items."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.openapi.delta import AlternativePair, Delta
from harness.openapi.document import Node, join
from harness.openapi.model import Direction
from harness.openapi.schema import Alternative, Schema, SchemaReader

# What the opposite direction alone carries is no part of this one.
_ELSEWHERE = {Direction.REQUEST: "readOnly", Direction.RESPONSE: "writeOnly"}
_ADDITIONAL = ("additionalProperties", "unevaluatedProperties")

SchemaPair = tuple[Schema, Schema]


@dataclass(frozen=True, slots=True)
class Shape:
    """The object half of a conjunction, for one direction.

    Attributes:
        additional: What further properties must satisfy.
        closed: Whether further properties are refused.
    """

    properties: dict[str, Schema]
    required: frozenset[str]
    additional: Schema
    closed: bool

    def schema_of(self, name: str) -> Schema:
        """What a property must satisfy, listed or not."""
        return self.properties.get(name, self.additional)


def read_shape(alternative: Alternative, direction: Direction, reader: SchemaReader) -> Shape:
    """Gather the properties of all parts, less those that only the other direction carries."""
    properties: dict[str, Schema] = {}
    for node in alternative.nodes:
        for name, child in node.members("properties").items():
            properties[name] = (*properties.get(name, ()), child)
    elsewhere = {
        name for name, schema in properties.items() if _is_flagged(schema, _ELSEWHERE[direction], reader)
    }
    additional = tuple(part for keyword in _ADDITIONAL for part in alternative.children(keyword))
    required = frozenset(name for node in alternative.nodes for name in node.names("required"))
    return Shape(
        properties={name: schema for name, schema in properties.items() if name not in elsewhere},
        required=required - elsewhere,
        additional=additional,
        closed=any(part.body is False for part in additional),
    )


def _is_flagged(schema: Schema, flag: str, reader: SchemaReader) -> bool:
    return any(node.flag(flag) for each in reader.alternatives(schema) for node in each.nodes)


def object_deltas(
    pair: AlternativePair, old: Shape, new: Shape, direction: Direction
) -> Iterator[Delta | SchemaPair]:
    """Differences between two objects, and the pairs of schemas to compare next."""
    for name in sorted({*old.properties, *new.properties, *old.required, *new.required}):
        was, now = _known(name, old), _known(name, new)
        if name in old.properties and name not in new.properties:
            # Left behind in `required` or not: what the property was like is no longer said.
            now = False
        if was and now:
            yield from _requirement(pair, name, old, new)
            yield old.schema_of(name), new.schema_of(name)
        elif was:
            yield _removed(pair, name, old, new, direction)
            if _constrains(new.additional):
                yield old.schema_of(name), new.additional
        else:
            yield _added(pair, name, new, direction)
            if _constrains(old.additional):
                yield old.additional, new.schema_of(name)
    if old.closed != new.closed:
        effect = "forbidden" if new.closed else "allowed"
        yield Delta(
            f"additional-properties-{effect}",
            pair.place("additionalProperties"),
            "additionalProperties",
            not old.closed,
            not new.closed,
        )
    elif not old.closed:
        yield old.additional, new.additional


def _constrains(additional: Schema) -> bool:
    return any(isinstance(part.body, dict) and part.body for part in additional)


def _known(name: str, shape: Shape) -> bool:
    return name in shape.properties or name in shape.required


def _property_place(name: str, shape: Shape, alternative: Alternative, at: str) -> str:
    if name in shape.properties:
        return shape.properties[name][0].pointer
    nodes = [node for node in alternative.having("required") if name in node.names("required")]
    return join(nodes[0].pointer, "required") if nodes else at


def _requirement(pair: AlternativePair, name: str, old: Shape, new: Shape) -> Iterator[Delta]:
    was, now = name in old.required, name in new.required
    if was != now:
        effect = "required" if now else "optional"
        at = _property_place(name, new, pair.new, pair.at)
        yield Delta(f"property-became-{effect}", at, f"property {name!r}", _necessity(was), _necessity(now))


def _necessity(required: bool) -> str:
    return "required" if required else "optional"


def _removed(pair: AlternativePair, name: str, old: Shape, new: Shape, direction: Direction) -> Delta:
    if direction is Direction.REQUEST:
        rule = "property-forbidden" if new.closed else "property-removed"
    else:
        rule = "property-removed" if name in old.required else "optional-property-removed"
    at = _property_place(name, old, pair.old, pair.at)
    return Delta(rule, at, f"property {name!r}", _necessity(name in old.required), None)


def _added(pair: AlternativePair, name: str, new: Shape, direction: Direction) -> Delta:
    required = name in new.required
    rule = "required-property-added" if required and direction is Direction.REQUEST else "property-added"
    at = _property_place(name, new, pair.new, pair.at)
    return Delta(rule, at, f"property {name!r}", None, _necessity(required))


def array_pairs(old: Alternative, new: Alternative) -> Iterator[SchemaPair]:
    """The pairs of item schemas: position by position, then the rest."""
    old_first, new_first = _prefix(old), _prefix(new)
    for index in range(max(len(old_first), len(new_first))):
        yield _item(old, old_first, index), _item(new, new_first, index)
    yield old.children("items"), new.children("items")


def _prefix(alternative: Alternative) -> list[list[Node]]:
    """The item schemas by position, one list for each part that has `prefixItems`."""
    tuples = [node.elements("prefixItems") for node in alternative.having("prefixItems")]
    longest = max(map(len, tuples), default=0)
    return [[each[index] for each in tuples if index < len(each)] for index in range(longest)]


def _item(alternative: Alternative, prefix: list[list[Node]], index: int) -> Schema:
    return tuple(prefix[index]) if index < len(prefix) else alternative.children("items")
