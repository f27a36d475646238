"""What comparisons of documents often get wrong: what is only written otherwise, and what looks harmless.

Each case is compared as a request and as a response.
"""

import pytest

from harness.openapi import Severity, diff

KIND = {"type": "string", "enum": ["a", "b"]}
REF = {"$ref": "#/components/schemas/Kind"}
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
CAT = {"type": "object", "properties": {"tag": STRING}}
DOG = {"type": "object", "properties": {"tag": STRING, "weight": INTEGER}, "required": ["weight"]}
COMPONENTS = {"Kind": KIND, "Cat": CAT, "Dog": DOG}
OLD, NEW = "3.0.3", "3.1.0"


def pets(**mapping):
    return {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {
            "propertyName": "tag",
            "mapping": {key: f"#/components/schemas/{name}" for key, name in mapping.items()},
        },
    }


def api(version, direction, schema):
    media = {"content": {"application/json": {"schema": schema}}}
    operation = {"responses": {"200": {"description": "ok"}}}
    if direction == "request":
        operation["requestBody"] = media
    else:
        operation["responses"]["200"] |= media
    return {
        "openapi": version,
        "paths": {"/p": {"post": operation}},
        "components": {"schemas": COMPONENTS},
    }


def severities(old, new, versions):
    """Worst severity in a request and in a response, None where nothing differs."""
    worst = []
    for direction in ("request", "response"):
        changes = diff(api(versions[0], direction, old), api(versions[1], direction, new))
        worst.append(next((change.severity for change in changes if change.direction != "none"), None))
    return tuple(worst)


SAME = [
    ("inline against a component", KIND, REF),
    ("parts of one object in allOf", DOG, {"allOf": [CAT, {"properties": {"weight": INTEGER}}, DOG]}),
    (
        "bounds spread over allOf",
        INTEGER | {"minimum": 0, "maximum": 9},
        {"allOf": [INTEGER | {"minimum": 0}, {"maximum": 9}]},
    ),
    ("types against anyOf", {"type": ["string", "integer"]}, {"anyOf": [INTEGER, STRING]}),
    ("enum against constants", KIND, {"oneOf": [{"const": "b", "title": "B"}, {"const": "a"}]}),
    ("every boolean", {"type": "boolean"}, {"type": "boolean", "enum": [True, False]}),
    ("null first", {"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, STRING]}),
    ("name of a component as mapping", pets(), pets(Cat="Cat", Dog="Dog")),
    ("order of an enum", KIND, {"type": "string", "enum": ["b", "a"]}),
    ("integer bounds", INTEGER | {"exclusiveMaximum": 10}, INTEGER | {"maximum": 9}),
]
SAME_ACROSS = [
    (
        "nullable enum",
        {"type": "string", "nullable": True, "enum": ["a", None]},
        {"type": ["string", "null"], "enum": ["a", None]},
    ),
    ("nullable composition", {"allOf": [REF], "nullable": True}, {"oneOf": [{"type": "null"}, REF]}),
    (
        "boolean exclusive bound",
        {"type": "number", "minimum": 3, "exclusiveMinimum": True},
        {"type": "number", "exclusiveMinimum": 3},
    ),
]

BREAKS, WARNS, FITS = Severity.ERROR, Severity.WARNING, Severity.INFO
# name, old, new, severity in a request, severity in a response
OTHER = [
    ("a component made nullable by oneOf", REF, {"oneOf": [{"type": "null"}, REF]}, FITS, BREAKS),
    ("a constant more", KIND, {"oneOf": [{"const": each} for each in "abc"]}, FITS, BREAKS),
    ("a constant less", KIND, {"oneOf": [{"const": "a"}]}, BREAKS, FITS),
    (
        "a constant behind a bound is no plain value",
        KIND,
        {"anyOf": [{"const": "a"}, {"const": "b", "maxLength": 0}]},
        BREAKS,
        FITS,
    ),
    (
        "positions swapped",
        {"type": "array", "prefixItems": [STRING, INTEGER]},
        {"type": "array", "prefixItems": [INTEGER, STRING]},
        BREAKS,
        BREAKS,
    ),
    (
        "no items after the first",
        {"type": "array", "prefixItems": [STRING]},
        {"type": "array", "prefixItems": [STRING], "items": False},
        BREAKS,
        FITS,
    ),
    ("items of any kind", {"type": "array", "items": STRING}, {"type": "array"}, FITS, BREAKS),
    ("mapping renamed", pets(cat="Cat", dog="Dog"), pets(kitty="Cat", dog="Dog"), BREAKS, BREAKS),
    ("mapping added", pets(cat="Cat", dog="Dog"), pets(cat="Cat", kitty="Cat", dog="Dog"), FITS, BREAKS),
    ("mapping dropped", pets(cat="Cat", kitty="Cat", dog="Dog"), pets(cat="Cat", dog="Dog"), BREAKS, FITS),
    ("mapping gone", pets(cat="Cat", dog="Dog"), pets(), BREAKS, FITS),
    (
        "now read only",
        DOG,
        DOG | {"properties": DOG["properties"] | {"weight": INTEGER | {"readOnly": True}}},
        WARNS,
        None,
    ),
    (
        "now write only",
        DOG,
        DOG | {"properties": DOG["properties"] | {"weight": INTEGER | {"writeOnly": True}}},
        None,
        BREAKS,
    ),
    ("a bound gone", STRING | {"maxLength": 3}, STRING, FITS, BREAKS),
    ("a bound set", STRING, STRING | {"maxLength": 3}, BREAKS, FITS),
    ("another default beside a reference", REF | {"default": "a"}, REF | {"default": "b"}, BREAKS, WARNS),
    (
        "another default in a union",
        {"anyOf": [INTEGER, {"type": "null"}], "default": 1},
        {"anyOf": [INTEGER, {"type": "null"}], "default": 2},
        BREAKS,
        WARNS,
    ),
    ("a default documented", INTEGER, INTEGER | {"default": 1}, WARNS, WARNS),
    (
        "another type of the values of a map",
        {"type": "object", "additionalProperties": INTEGER},
        {"type": "object", "additionalProperties": STRING},
        BREAKS,
        BREAKS,
    ),
    (
        "required with a default",
        CAT,
        CAT | {"properties": CAT["properties"] | {"more": INTEGER | {"default": 1}}, "required": ["more"]},
        BREAKS,
        FITS,
    ),
]


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_what_is_written_otherwise_is_no_change(one, other):
    assert severities(one, other, (NEW, NEW)) == (None, None)
    assert severities(other, one, (NEW, NEW)) == (None, None)


@pytest.mark.parametrize(
    ("one", "other"), [row[1:] for row in SAME_ACROSS], ids=[row[0] for row in SAME_ACROSS]
)
def test_what_the_dialects_write_otherwise_is_no_change(one, other):
    assert severities(one, other, (OLD, NEW)) == (None, None)
    assert severities(other, one, (NEW, OLD)) == (None, None)


@pytest.mark.parametrize(
    ("old", "new", "request_severity", "response_severity"),
    [row[1:] for row in OTHER],
    ids=[row[0] for row in OTHER],
)
def test_what_differs_is_seen_by_direction(old, new, request_severity, response_severity):
    assert severities(old, new, (NEW, NEW)) == (request_severity, response_severity)


@pytest.mark.parametrize("written", ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'])
def test_utf_8_is_what_json_is_written_in(written):
    plain = api(NEW, "response", STRING)
    content = plain["paths"]["/p"]["post"]["responses"]["200"]["content"]
    spelt = api(NEW, "response", STRING)
    spelt["paths"]["/p"]["post"]["responses"]["200"]["content"] = {written: content["application/json"]}
    assert diff(plain, spelt) == diff(spelt, plain) == []
