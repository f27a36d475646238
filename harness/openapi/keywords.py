"""Differences between two conjunctions in the keywords that hold no schemas of their own."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from harness.openapi.bounds import count_deltas, range_deltas
from harness.openapi.delta import AlternativePair, Delta
from harness.openapi.fingerprint import fingerprint
from harness.openapi.schema import ALL_TYPES, NUMERIC, Alternative, canonical, enum_values, type_names

_NARROWER_FORMATS = {("int32", "int64"), ("float", "double")}

# Keywords whose meaning is not modelled: adding one only narrows, dropping one only widens.
_OPAQUE = frozenset(
    {
        "not",
        "if",
        "then",
        "else",
        "contains",
        "minContains",
        "maxContains",
        "propertyNames",
        "patternProperties",
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedItems",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "$dynamicRef",
    }
)
# What a schema may demand of a value besides that it is one of a list.
_DEMANDING = _OPAQUE | {
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "properties",
    "required",
    "items",
}

Values = dict[str, Any]
"""Allowed values by their canonical text."""


def keyword_deltas(pair: AlternativePair) -> Iterator[Delta]:
    """All differences in plain keywords: types, enumerations, bounds, formats, patterns, defaults."""
    yield from type_delta(pair.old.types, pair.new.types, pair.place("type"))
    yield from _enum(pair)
    if pair.either_allows(NUMERIC):
        yield from range_deltas(pair)
    if pair.either_allows(frozenset({"string"})):
        yield from count_deltas(pair, "length", "minLength", "maxLength")
        yield from _set_of_texts(pair, "pattern")
    if pair.either_allows(frozenset({"array"})):
        yield from count_deltas(pair, "items", "minItems", "maxItems")
        yield from _unique_items(pair)
    if pair.either_allows(frozenset({"object"})):
        yield from count_deltas(pair, "length", "minProperties", "maxProperties")
        yield from _discriminator(pair)
    yield from _format(pair)
    yield from _opaque(pair)
    yield from _default(pair)


def type_delta(old: frozenset[str], new: frozenset[str], at: str) -> Iterator[Delta]:
    """The difference between two sets of JSON types; null is left to the union around them."""
    before, after = old - {"null"}, new - {"null"}
    if before == after:
        return
    effect = "narrowed" if after < before else "widened" if after > before else "changed"
    yield Delta(f"type-{effect}", at, "type", _type_text(before), _type_text(after))


def _type_text(types: frozenset[str]) -> str:
    return "any" if types >= ALL_TYPES - {"null"} else " or ".join(type_names(types)) or "nothing"


def _enum(pair: AlternativePair) -> Iterator[Delta]:
    at = pair.place("enum" if pair.new.having("enum") or not pair.new.having("const") else "const")
    yield from values_delta(_allowed_values(pair.old), _allowed_values(pair.new), at)


def values_delta(old: Values | None, new: Values | None, at: str) -> Iterator[Delta]:
    """The difference between two lists of allowed values; None allows all."""
    if old is None and new is None:
        return
    if old is None or new is None:
        effect = "narrowed" if old is None else "widened"
        yield Delta(f"enum-{effect}", at, "enum", _listed(old), _listed(new))
        return
    if gone := [value for key, value in old.items() if key not in new]:
        yield Delta("enum-narrowed", at, f"enum without {canonical(gone)}", _listed(old), _listed(new))
    if added := [value for key, value in new.items() if key not in old]:
        yield Delta("enum-widened", at, f"enum with {canonical(added)}", _listed(old), _listed(new))


def union_values(alternatives: Sequence[Alternative]) -> Values | None:
    """The values of a union that is nothing but values, such as one of constants; None for any other."""
    values: Values = {}
    for alternative in alternatives:
        own = _allowed_values(alternative)
        if own is None or any(node.fields.keys() & _DEMANDING for node in alternative.nodes):
            return None
        values |= own
    return values


def _allowed_values(alternative: Alternative) -> Values | None:
    """The values that are allowed; null is a type here, not a value."""
    allowed: Values | None = None
    for node in alternative.nodes:
        values = enum_values(node)
        if values is not None:
            own = {canonical(value): value for value in values if value is not None}
            allowed = own if allowed is None else {key: own[key] for key in allowed if key in own}
    return None if allowed is not None and _is_every_boolean(alternative, allowed) else allowed


def _is_every_boolean(alternative: Alternative, allowed: Values) -> bool:
    return alternative.types <= {"boolean", "null"} and len(allowed) == len((True, False))


def _listed(values: Values | None) -> list[Any] | None:
    return None if values is None else list(values.values())


def _unique_items(pair: AlternativePair) -> Iterator[Delta]:
    old, new = (any(node.flag("uniqueItems") for node in side.nodes) for side in (pair.old, pair.new))
    if old != new:
        effect = "narrowed" if new else "widened"
        yield Delta(f"items-{effect}", pair.place("uniqueItems"), "uniqueItems", old, new)


def _set_of_texts(pair: AlternativePair, keyword: str) -> Iterator[Delta]:
    old, new = _texts(pair.old, keyword), _texts(pair.new, keyword)
    if old != new:
        effect = "narrowed" if new > old else "widened" if new < old else "changed"
        yield Delta(f"{keyword}-{effect}", pair.place(keyword), keyword, _shown(old), _shown(new))


def _texts(alternative: Alternative, keyword: str) -> frozenset[str]:
    return frozenset(text for node in alternative.nodes if (text := node.text(keyword)) is not None)


def _shown(texts: frozenset[str]) -> Any:
    return (sorted(texts) if len(texts) > 1 else next(iter(texts))) if texts else None


def _format(pair: AlternativePair) -> Iterator[Delta]:
    old, new = _texts(pair.old, "format"), _texts(pair.new, "format")
    if old == new:
        return
    step = (_shown(old), _shown(new))
    if new > old or step[::-1] in _NARROWER_FORMATS:
        effect = "narrowed"
    elif new < old or step in _NARROWER_FORMATS:
        effect = "widened"
    else:
        effect = "changed"
    yield Delta(f"format-{effect}", pair.place("format"), "format", *step)


def _opaque(pair: AlternativePair) -> Iterator[Delta]:
    used = {keyword for node in (*pair.old.nodes, *pair.new.nodes) for keyword in node.fields}
    for keyword in sorted(used & _OPAQUE):
        old = {fingerprint(pair.old_document, part) for part in pair.old.children(keyword)}
        new = {fingerprint(pair.new_document, part) for part in pair.new.children(keyword)}
        if old != new:
            effect = "narrowed" if new > old else "widened" if new < old else "changed"
            values = [[part.body for part in side.children(keyword)] or None for side in (pair.old, pair.new)]
            yield Delta(f"constraint-{effect}", pair.place(keyword), keyword, *values)


def _discriminator(pair: AlternativePair) -> Iterator[Delta]:
    at = pair.place("discriminator")
    old, new = _discriminators(pair.old), _discriminators(pair.new)
    if old != new:
        yield Delta("discriminator-changed", at, "discriminator", old, new)
        return
    was, now = _mapped_values(pair.old), _mapped_values(pair.new)
    if gone := sorted(was - now):
        yield Delta("enum-narrowed", at, f"discriminator without {gone}", sorted(was), sorted(now))
    if added := sorted(now - was):
        yield Delta("enum-widened", at, f"discriminator with {added}", sorted(was), sorted(now))


def _discriminators(alternative: Alternative) -> list[str] | None:
    names = {node.text("propertyName") for node in alternative.children("discriminator")}
    return sorted(name for name in names if name is not None) or None


def _mapped_values(alternative: Alternative) -> frozenset[str]:
    """What the discriminating property says of this alternative where that is not its component's name."""
    names = {node.pointer.rpartition("/")[2] for node in alternative.nodes}
    return frozenset(
        value
        for node in alternative.children("discriminator")
        for value, target in node.members("mapping").items()
        if (name := unquote(target.as_text()).rpartition("/")[2]) in names and value != name
    )


def _default(pair: AlternativePair) -> Iterator[Delta]:
    # `default: null` is what generators write for "none".
    old, new = (
        [node.body for node in side.children("default") if node.body is not None]
        for side in (pair.old, pair.new)
    )
    if canonical(old) != canonical(new):
        effect = "added" if not old else "removed" if not new else "changed"
        yield Delta(
            f"default-{effect}",
            pair.place("default"),
            "default",
            old[0] if len(old) == 1 else old or None,
            new[0] if len(new) == 1 else new or None,
        )
