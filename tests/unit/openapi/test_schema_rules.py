"""One row per schema difference: what it is called in a request and in a response."""

import pytest

from harness.openapi import RULES, Direction, Severity, diff, has_breaking
from harness.pointer import PointerError, resolve

DIALECTS = ("3.0.3", "3.1.0")
A = "#/components/schemas/A"


def document(version, schema, direction, components=None):
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"responses": {"200": {"description": "ok"}}}
    if direction == "request":
        operation["requestBody"] = content
    else:
        operation["responses"]["200"] = {"description": "ok", **content}
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/predict": {"post": operation}},
        "components": {"schemas": components or {}},
    }


def assert_well_told(changes, old, new):
    """Each change points at something that one of the documents has, and says both values."""
    for change in changes:
        assert any(has(each, change.pointer) for each in (new, old)), change
        assert change.message.startswith(f"{change.direction} "), change
        # What came has no old value, and what went no new one.
        assert (", was " in change.message) == (change.new is None), change
        assert ("added, is " in change.message) == (change.old is None), change


def has(document, pointer):
    try:
        resolve(document, pointer)
    except PointerError:
        return False
    return True


def rules(version, direction, old, new, *components):
    documents = (
        document(version, old, direction, *components[:1]),
        document(version, new, direction, *components[-1:]),
    )
    changes = diff(*documents)
    assert_well_told(changes, *documents)
    assert all(change.operation == "POST /predict" for change in changes)
    assert all(change.direction is Direction(direction) for change in changes)
    assert all(change.severity is RULES[change.rule] for change in changes)
    return {change.rule.removeprefix(f"{direction}-") for change in changes}


def obj(required=(), **properties):
    schema = {"type": "object", "properties": properties}
    return schema | ({"required": list(required)} if required else {})


STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}

# name, old, new, rules of a request, rules of a response (without the direction)
BOTH_DIALECTS = [
    ("type narrowed", NUMBER, INTEGER, {"type-narrowed"}, {"type-narrowed"}),
    ("type widened", INTEGER, NUMBER, {"type-widened"}, {"type-widened"}),
    ("type changed", STRING, INTEGER, {"type-changed"}, {"type-changed"}),
    ("type dropped", STRING, {}, {"type-widened"}, {"type-widened"}),
    ("format added", STRING, STRING | {"format": "uuid"}, {"format-narrowed"}, {"format-narrowed"}),
    ("format gone", STRING | {"format": "uuid"}, STRING, {"format-widened"}, {"format-widened"}),
    (
        "format changed",
        STRING | {"format": "uuid"},
        STRING | {"format": "date"},
        {"format-changed"},
        {"format-changed"},
    ),
    (
        "format wider",
        INTEGER | {"format": "int32"},
        INTEGER | {"format": "int64"},
        {"format-widened"},
        {"format-widened"},
    ),
    (
        "format narrower",
        NUMBER | {"format": "double"},
        NUMBER | {"format": "float"},
        {"format-narrowed"},
        {"format-narrowed"},
    ),
    (
        "enum narrowed",
        STRING | {"enum": ["a", "b"]},
        STRING | {"enum": ["a"]},
        {"enum-narrowed"},
        {"enum-narrowed"},
    ),
    (
        "enum widened",
        STRING | {"enum": ["a"]},
        STRING | {"enum": ["b", "a"]},
        {"enum-widened"},
        {"enum-widened"},
    ),
    (
        "enum swapped",
        STRING | {"enum": ["a"]},
        STRING | {"enum": ["b"]},
        {"enum-narrowed", "enum-widened"},
        {"enum-narrowed", "enum-widened"},
    ),
    ("enum added", STRING, STRING | {"enum": ["a"]}, {"enum-narrowed"}, {"enum-narrowed"}),
    ("enum gone", STRING | {"enum": ["a"]}, STRING, {"enum-widened"}, {"enum-widened"}),
    ("enum reordered", STRING | {"enum": ["a", "b"]}, STRING | {"enum": ["b", "a"]}, set(), set()),
    ("enum 1 is 1.0", NUMBER | {"enum": [1, 2]}, NUMBER | {"enum": [1.0, 2]}, set(), set()),
    ("enum 1 is not true", {"enum": [1, True]}, {"enum": [1]}, {"enum-narrowed", "type-narrowed"}, None),
    (
        "minimum raised",
        NUMBER | {"minimum": 0},
        NUMBER | {"minimum": 1},
        {"range-narrowed"},
        {"range-narrowed"},
    ),
    ("minimum lowered", NUMBER | {"minimum": 0}, NUMBER | {"minimum": -1}, {"range-widened"}, None),
    ("minimum added", NUMBER, NUMBER | {"minimum": 0}, {"range-narrowed"}, None),
    ("minimum gone", NUMBER | {"minimum": 0}, NUMBER, {"range-widened"}, None),
    ("maximum raised", NUMBER | {"maximum": 9}, NUMBER | {"maximum": 10}, {"range-widened"}, None),
    ("maximum lowered", NUMBER | {"maximum": 9}, NUMBER | {"maximum": 8.5}, {"range-narrowed"}, None),
    ("maximum added", NUMBER, NUMBER | {"maximum": 1}, {"range-narrowed"}, None),
    (
        "both bounds",
        NUMBER | {"minimum": 0, "maximum": 9},
        NUMBER | {"minimum": 1, "maximum": 10},
        {"range-narrowed", "range-widened"},
        None,
    ),
    ("integer bound rounds", INTEGER | {"minimum": 0.5}, INTEGER | {"minimum": 1}, set(), set()),
    ("minimum of a text", STRING, STRING | {"minimum": 3}, set(), set()),
    ("multipleOf added", NUMBER, NUMBER | {"multipleOf": 2}, {"range-narrowed"}, None),
    ("multipleOf gone", NUMBER | {"multipleOf": 2}, NUMBER, {"range-widened"}, None),
    ("multipleOf finer", NUMBER | {"multipleOf": 0.2}, NUMBER | {"multipleOf": 0.1}, {"range-widened"}, None),
    ("multipleOf coarser", NUMBER | {"multipleOf": 2}, NUMBER | {"multipleOf": 6}, {"range-narrowed"}, None),
    ("multipleOf other", NUMBER | {"multipleOf": 2}, NUMBER | {"multipleOf": 3}, {"range-changed"}, None),
    ("minLength added", STRING, STRING | {"minLength": 1}, {"length-narrowed"}, None),
    ("minLength 0 added", STRING, STRING | {"minLength": 0}, set(), set()),
    ("maxLength added", STRING, STRING | {"maxLength": 9}, {"length-narrowed"}, None),
    ("maxLength raised", STRING | {"maxLength": 9}, STRING | {"maxLength": 10}, {"length-widened"}, None),
    ("maxLength gone", STRING | {"maxLength": 9}, STRING, {"length-widened"}, None),
    ("pattern added", STRING, STRING | {"pattern": "^a"}, {"pattern-narrowed"}, None),
    ("pattern gone", STRING | {"pattern": "^a"}, STRING, {"pattern-widened"}, None),
    ("pattern changed", STRING | {"pattern": "^a"}, STRING | {"pattern": "^b"}, {"pattern-changed"}, None),
    (
        "minItems raised",
        {"type": "array", "items": STRING},
        {"type": "array", "items": STRING, "minItems": 1},
        {"items-narrowed"},
        None,
    ),
    (
        "maxItems raised",
        {"type": "array", "items": STRING, "maxItems": 1},
        {"type": "array", "items": STRING, "maxItems": 2},
        {"items-widened"},
        None,
    ),
    (
        "uniqueItems",
        {"type": "array", "items": STRING},
        {"type": "array", "items": STRING, "uniqueItems": True},
        {"items-narrowed"},
        None,
    ),
    (
        "items changed",
        {"type": "array", "items": STRING},
        {"type": "array", "items": INTEGER},
        {"type-changed"},
        None,
    ),
    (
        "items narrowed below a property",
        obj(a={"type": "array", "items": NUMBER}),
        obj(a={"type": "array", "items": INTEGER}),
        {"type-narrowed"},
        None,
    ),
    ("maxProperties", {"type": "object"}, {"type": "object", "maxProperties": 3}, {"length-narrowed"}, None),
    ("optional property added", obj(), obj(a=STRING), {"property-added"}, {"property-added"}),
    (
        "required property added",
        obj(),
        obj(["a"], a=STRING),
        {"required-property-added"},
        {"property-added"},
    ),
    (
        "required property removed",
        obj(["a"], a=STRING),
        obj(),
        {"property-removed"},
        {"property-removed"},
    ),
    (
        "property removed but left in required",
        obj(["a"], a=STRING),
        obj(["a"]),
        {"property-removed"},
        {"property-removed"},
    ),
    (
        "property removed from a closed object but left in required",
        obj(["a"], a=STRING) | {"additionalProperties": False},
        obj(["a"]) | {"additionalProperties": False},
        {"property-forbidden"},
        {"property-removed"},
    ),
    (
        "required property gets a schema",
        {"type": "object", "required": ["a"]},
        obj(["a"], a={}),
        set(),
        set(),
    ),
    (
        "optional property removed",
        obj(a=STRING),
        obj(),
        {"property-removed"},
        {"optional-property-removed"},
    ),
    (
        "property forbidden",
        obj(a=STRING, b=STRING) | {"additionalProperties": False},
        obj(b=STRING) | {"additionalProperties": False},
        {"property-forbidden"},
        {"optional-property-removed"},
    ),
    ("became required", obj(a=STRING), obj(["a"], a=STRING), {"property-became-required"}, None),
    ("became optional", obj(["a"], a=STRING), obj(a=STRING), {"property-became-optional"}, None),
    (
        "required without a schema",
        {"type": "object"},
        {"type": "object", "required": ["a"]},
        {"required-property-added"},
        {"property-added"},
    ),
    (
        "closed",
        obj(a=STRING),
        obj(a=STRING) | {"additionalProperties": False},
        {"additional-properties-forbidden"},
        None,
    ),
    (
        "opened",
        obj(a=STRING) | {"additionalProperties": False},
        obj(a=STRING),
        {"additional-properties-allowed"},
        None,
    ),
    ("openness spelt out", obj(), obj() | {"additionalProperties": True}, set(), set()),
    (
        "values of a map",
        {"type": "object", "additionalProperties": INTEGER},
        {"type": "object", "additionalProperties": NUMBER},
        {"type-widened"},
        None,
    ),
    (
        "named against the map it came from",
        {"type": "object", "additionalProperties": NUMBER},
        obj(a=STRING) | {"additionalProperties": NUMBER},
        {"property-added", "type-changed"},
        None,
    ),
    ("default changed", STRING | {"default": "a"}, STRING | {"default": "b"}, {"default-changed"}, None),
    (
        "repeated items allowed",
        {"type": "array", "uniqueItems": True},
        {"type": "array"},
        {"items-widened"},
        None,
    ),
    (
        "fewer characters will do",
        STRING | {"minLength": 3},
        STRING | {"minLength": 2},
        {"length-widened"},
        None,
    ),
    ("more properties needed", {"type": "object"}, obj() | {"minProperties": 1}, {"length-narrowed"}, None),
    (
        "one object of two is gone",
        {"oneOf": [obj(["a"], a=STRING), obj(["b"], b=STRING)]},
        {"oneOf": [obj(["a"], a=STRING)]},
        {"alternative-removed"},
        {"alternative-removed"},
    ),
    (
        "an object besides that says less of the same members",
        {"oneOf": [obj(["a"], a=STRING), STRING]},
        {"oneOf": [obj(["a"], a=STRING), STRING, obj(["c"], c=STRING)]},
        {"alternative-added"},
        {"alternative-added"},
    ),
    (
        "anything besides a text",
        {"anyOf": [{"description": "anything"}, STRING]},
        {"anyOf": [{"description": "anything"}]},
        set(),
        {"alternative-removed"},
    ),
    (
        "a member that the others' schema now speaks of",
        obj(a=STRING) | {"additionalProperties": INTEGER},
        {"type": "object", "additionalProperties": INTEGER},
        {"property-removed", "type-changed"},
        {"optional-property-removed", "type-changed"},
    ),
    ("default added", STRING, STRING | {"default": "b"}, {"default-added"}, None),
    ("default gone", STRING | {"default": "b"}, STRING, {"default-removed"}, None),
    ("default null is none", STRING, STRING | {"default": None}, set(), set()),
    ("not added", STRING, STRING | {"not": {"enum": ["x"]}}, {"constraint-narrowed"}, None),
    ("not gone", STRING | {"not": {"enum": ["x"]}}, STRING, {"constraint-widened"}, None),
    (
        "not changed",
        STRING | {"not": {"enum": ["x"]}},
        STRING | {"not": {"enum": ["y"]}},
        {"constraint-changed"},
        None,
    ),
    ("prose", STRING, STRING | {"title": "T", "description": "d", "example": "x"}, set(), set()),
    ("prose in a not", {"not": STRING}, {"not": STRING | {"title": "T"}}, set(), set()),
    ("alternative added", {"anyOf": [STRING]}, {"anyOf": [STRING, INTEGER]}, {"alternative-added"}, None),
    (
        "alternative removed",
        {"oneOf": [STRING, INTEGER]},
        {"oneOf": [STRING]},
        {"alternative-removed"},
        None,
    ),
    ("alternatives reordered", {"oneOf": [STRING, INTEGER]}, {"oneOf": [INTEGER, STRING]}, set(), set()),
    ("oneOf to anyOf", {"oneOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER]}, set(), set()),
    ("union of one", STRING, {"anyOf": [STRING]}, set(), set()),
    ("allOf of one", STRING, {"allOf": [STRING]}, set(), set()),
    (
        "unions in unions",
        {"anyOf": [STRING, {"oneOf": [INTEGER, {"type": "boolean"}]}]},
        {"anyOf": [{"type": "boolean"}, STRING, INTEGER]},
        set(),
        set(),
    ),
    (
        "matched by likeness",
        {"oneOf": [obj(["kind", "a"], kind={"enum": ["A"]}, a=STRING), obj(["kind"], kind={"enum": ["B"]})]},
        {"oneOf": [obj(["kind"], kind={"enum": ["B"]}), obj(["kind", "a"], kind={"enum": ["A"]}, a=INTEGER)]},
        {"type-changed"},
        None,
    ),
    (
        "allOf spread or merged",
        {"allOf": [obj(["a"], a=STRING), obj(b=NUMBER)]},
        obj(["a"], a=STRING, b=NUMBER),
        set(),
        set(),
    ),
    (
        "allOf takes the tighter bound",
        {"allOf": [NUMBER | {"minimum": 0}, {"minimum": 5}]},
        NUMBER | {"minimum": 5},
        set(),
        set(),
    ),
    (
        "allOf meets enums",
        {"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]},
        {"enum": ["b"]},
        set(),
        set(),
    ),
    (
        "allOf with the same property twice",
        {"allOf": [obj(a=NUMBER), obj(a={"maximum": 3})]},
        obj(a=NUMBER | {"maximum": 2}),
        {"range-narrowed"},
        None,
    ),
    (
        "discriminator",
        obj(k=STRING) | {"discriminator": {"propertyName": "k"}},
        obj(k=STRING) | {"discriminator": {"propertyName": "l"}},
        {"discriminator-changed"},
        None,
    ),
    (
        "nullable unions",
        obj(a={"nullable": True, "allOf": [STRING]}),
        obj(a=STRING),
        {"nullable-removed"},
        None,
    ),
]

ONLY_3_0 = [
    ("nullable removed", STRING | {"nullable": True}, STRING, {"nullable-removed"}, None),
    ("nullable added", STRING, STRING | {"nullable": True}, {"nullable-added"}, None),
    (
        "exclusive flag",
        NUMBER | {"minimum": 0},
        NUMBER | {"minimum": 0, "exclusiveMinimum": True},
        {"range-narrowed"},
        None,
    ),
    (
        "exclusive flag on an integer",
        INTEGER | {"maximum": 10, "exclusiveMaximum": True},
        INTEGER | {"maximum": 9},
        set(),
        set(),
    ),
    (
        "nullable enum",
        STRING | {"enum": ["a"]},
        STRING | {"enum": ["a"], "nullable": True},
        {"nullable-added"},
        None,
    ),
]

ONLY_3_1 = [
    ("null removed", {"type": ["string", "null"]}, STRING, {"nullable-removed"}, None),
    ("null added", STRING, {"anyOf": [STRING, {"type": "null"}]}, {"nullable-added"}, None),
    (
        "null spelt otherwise",
        {"type": ["string", "null"]},
        {"anyOf": [STRING, {"type": "null"}]},
        set(),
        set(),
    ),
    (
        "null in an enum",
        {"type": ["string", "null"], "enum": ["a", None]},
        {"type": ["string", "null"], "enum": ["a"]},
        {"nullable-removed"},
        None,
    ),
    ("types spelt otherwise", {"type": ["string", "integer"]}, {"anyOf": [STRING, INTEGER]}, set(), set()),
    ("one of the types gone", {"type": ["string", "integer"]}, STRING, {"type-narrowed"}, None),
    (
        "only null",
        {"type": "null"},
        {"type": ["string", "null"]},
        {"type-widened"},
        None,
    ),
    ("const changed", {"const": "a"}, {"const": "b"}, {"enum-narrowed", "enum-widened"}, None),
    ("const is an enum of one", {"const": "a"}, {"enum": ["a"]}, set(), set()),
    (
        "exclusive bound",
        NUMBER | {"exclusiveMinimum": 0},
        NUMBER | {"minimum": 0},
        {"range-widened"},
        None,
    ),
    (
        "exclusive bound on an integer",
        INTEGER | {"exclusiveMinimum": 0},
        INTEGER | {"minimum": 1},
        set(),
        set(),
    ),
    ("false schema", obj(a=STRING), obj(a=False), {"type-narrowed"}, None),
    (
        "false schema of what has to be there",
        obj(a=STRING) | {"required": ["a"]},
        obj(a=False) | {"required": ["a"]},
        {"type-narrowed"},
        {"type-narrowed", "type-changed"},
    ),
    ("false schema alone", STRING, False, {"type-narrowed"}, {"type-narrowed", "type-changed"}),
    (
        "types that no value has",
        STRING,
        {"allOf": [STRING, INTEGER]},
        {"type-narrowed"},
        {"type-narrowed", "type-changed"},
    ),
    (
        "no value in an enum",
        STRING,
        {"type": "string", "enum": []},
        {"type-narrowed"},
        {"type-narrowed", "type-changed"},
    ),
    ("null alone", {"type": ["string", "null"]}, {"type": "null"}, {"type-narrowed"}, {"type-narrowed"}),
    ("true schema", {}, True, set(), set()),
    (
        "prefixItems",
        {"type": "array", "prefixItems": [STRING, NUMBER], "items": STRING},
        {"type": "array", "prefixItems": [STRING, INTEGER], "items": STRING},
        {"type-narrowed"},
        None,
    ),
    (
        "prefixItems against items",
        {"type": "array", "items": STRING},
        {"type": "array", "prefixItems": [INTEGER], "items": STRING},
        {"type-changed"},
        None,
    ),
    (
        "unevaluated properties",
        obj(a=STRING),
        obj(a=STRING) | {"unevaluatedProperties": False},
        {"additional-properties-forbidden"},
        None,
    ),
]

ROWS = (
    [(version, *row) for version in DIALECTS for row in BOTH_DIALECTS]
    + [("3.0.3", *row) for row in ONLY_3_0]
    + [("3.1.0", *row) for row in ONLY_3_1]
)


@pytest.mark.parametrize(
    ("version", "old", "new", "request_rules", "response_rules"),
    [(row[0], *row[2:]) for row in ROWS],
    ids=[f"{row[0]}-{row[1]}" for row in ROWS],
)
def test_rules(version, old, new, request_rules, response_rules):
    assert rules(version, "request", old, new) == request_rules
    # None: the response's rules bear the same names
    expected = request_rules if response_rules is None else response_rules
    expected = {rule.replace("required-property-added", "property-added") for rule in expected}
    assert rules(version, "response", old, new) == expected
    assert rules(version, "request", new, new) == set()


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("request-type-narrowed", "error"),
        ("request-type-widened", "info"),
        ("response-type-widened", "error"),
        ("response-type-narrowed", "info"),
        ("request-enum-narrowed", "error"),
        ("response-enum-widened", "error"),
        ("response-range-widened", "error"),
        ("response-nullable-added", "error"),
        ("request-nullable-removed", "error"),
        ("request-nullable-added", "info"),
        ("response-property-removed", "error"),
        ("response-property-became-optional", "error"),
        ("response-optional-property-removed", "warning"),
        ("request-required-property-added", "error"),
        ("request-property-became-required", "error"),
        ("request-property-added", "info"),
        ("request-additional-properties-forbidden", "error"),
        ("request-default-added", "warning"),
        ("request-default-changed", "error"),
        ("response-default-changed", "warning"),
        ("request-alternative-removed", "error"),
        ("response-alternative-added", "error"),
        ("response-alternative-removed", "info"),
    ],
)
def test_severity_of_a_rule(rule, severity):
    assert RULES[rule] is Severity(severity)


def test_dialects_compare_with_each_other():
    old = document("3.0.3", STRING | {"nullable": True}, "response")
    new = document("3.1.0", {"anyOf": [STRING, {"type": "null"}]}, "response")
    assert [change.rule for change in diff(old, new)] == ["openapi-version-changed"]


@pytest.mark.parametrize(("version", "expected"), [("3.0.3", set()), ("3.1.0", {"length-narrowed"})])
def test_siblings_of_a_reference_count_from_3_1_on(version, expected):
    reference = {"$ref": A}
    assert rules(version, "request", reference, reference | {"maxLength": 3}, {"A": STRING}) == expected


@pytest.mark.parametrize("version", DIALECTS)
def test_a_component_change_is_seen_through_references(version):
    chain = {"A": {"$ref": "#/components/schemas/B"}, "B": obj(["x"], x=STRING)}
    changed = chain | {"B": obj(x=STRING)}
    found = diff(
        document(version, {"$ref": A}, "response", chain), document(version, {"$ref": A}, "response", changed)
    )
    assert [(change.rule, change.pointer) for change in found] == [
        ("response-property-became-optional", "/components/schemas/B/properties/x")
    ]
    assert has_breaking(found)


def test_a_change_behind_a_reference_in_an_opaque_keyword_is_seen():
    schema = STRING | {"not": {"$ref": A}}
    assert rules("3.1.0", "request", schema, schema, {"A": {"enum": ["x"]}}, {"A": {"enum": ["y"]}}) == {
        "constraint-changed"
    }


@pytest.mark.parametrize("version", DIALECTS)
def test_recursive_schemas_end(version):
    def tree(value):
        return {
            "A": obj(["value"], value=value, left={"$ref": A}, rest={"type": "array", "items": {"$ref": A}})
        }

    assert rules(version, "response", {"$ref": A}, {"$ref": A}, tree(STRING)) == set()
    assert rules(version, "response", {"$ref": A}, {"$ref": A}, tree(STRING), tree(INTEGER)) == {
        "type-changed"
    }


def test_recursion_that_is_unrolled_compares_equal():
    once = {"A": obj(next={"$ref": A})}
    twice = {"A": obj(next={"$ref": "#/components/schemas/B"}), "B": obj(next={"$ref": A})}
    assert rules("3.1.0", "request", {"$ref": A}, {"$ref": A}, once, twice) == set()


@pytest.mark.parametrize(
    "components",
    [
        {"A": {"allOf": [{"$ref": A}, obj(a=STRING)]}},
        {"A": {"allOf": [{"$ref": "#/components/schemas/B"}]}, "B": {"allOf": [{"$ref": A}, STRING]}},
        {"A": {"anyOf": [{"$ref": A}, STRING]}},
        {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": A}},
    ],
)
def test_cyclic_compositions_end(components):
    assert rules("3.1.0", "request", {"$ref": A}, {"$ref": A}, components) == set()


def test_read_only_is_no_part_of_a_request_and_write_only_none_of_a_response():
    old = obj(["id", "secret"], id=STRING, secret=STRING)
    new = obj(["id", "secret"], id=STRING | {"readOnly": True}, secret=STRING | {"writeOnly": True})
    assert rules("3.0.3", "request", old, new) == {"property-removed"}
    assert rules("3.0.3", "response", old, new) == {"property-removed"}
    added = obj(["id"], id={"type": "integer", "readOnly": True})
    assert rules("3.0.3", "request", obj(), added) == set()
    assert rules("3.0.3", "response", obj(), added) == {"property-added"}


def test_named_alternatives_are_matched_by_name():
    union = {"oneOf": [{"$ref": A}, {"$ref": "#/components/schemas/B"}]}
    old = {"A": obj(["x"], x=STRING), "B": obj(["y"], y=STRING)}
    new = old | {"A": obj(["y"], y=STRING, x=STRING)}
    assert rules("3.1.0", "response", union, union, old, new) == {
        "property-became-optional",
        "property-added",
    }


def test_an_alternative_that_another_takes_in_is_no_loss():
    old = {"anyOf": [INTEGER, NUMBER, STRING]}
    assert rules("3.1.0", "request", old, {"anyOf": [NUMBER, STRING]}) == set()
    assert rules("3.1.0", "response", {"anyOf": [NUMBER, STRING]}, old) == set()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ({"oneOf": [STRING, obj()]}, {"oneOf": [STRING]}, 'alternative: removed, was "object"'),
        (STRING, {"oneOf": [STRING, {"$ref": A}]}, 'alternative: added, is "object A"'),
        (obj(), obj() | {"additionalProperties": False}, "additionalProperties: was true, is false"),
        (obj(a=STRING), obj(["a"], a=STRING), 'property \'a\': was "optional", is "required"'),
        (obj(["a"], a=STRING), obj(), "property 'a': removed, was \"required\""),
        (obj(), obj(["a"], a=STRING), "property 'a': added, is \"required\""),
        (INTEGER | {"exclusiveMinimum": 2}, INTEGER | {"minimum": 4}, "minimum: was 3, is 4"),
        (NUMBER | {"multipleOf": 0.5}, NUMBER | {"multipleOf": 2}, "multipleOf: was [0.5], is [2]"),
        ({"type": "array"}, {"type": "array", "uniqueItems": True}, "uniqueItems: was false, is true"),
        (
            STRING | {"enum": ["a", "b"]},
            STRING | {"enum": ["a"]},
            'enum without ["b"]: was ["a", "b"], is ["a"]',
        ),
    ],
)
def test_a_change_says_what_was_and_what_is(old, new, message):
    components = {"A": obj()}
    old, new = (document("3.1.0", each, "request", components) for each in (old, new))
    assert [each.message for each in diff(old, new)] == [f"request {message}"]


def test_changes_carry_both_values_and_a_message():
    [change] = diff(
        document("3.1.0", obj(a=NUMBER | {"minimum": 0}), "request"),
        document("3.1.0", obj(a=NUMBER | {"minimum": 1.5}), "request"),
    )
    assert (change.rule, change.severity, change.old, change.new) == (
        "request-range-narrowed",
        "error",
        0,
        1.5,
    )
    assert change.pointer.endswith("/schema/properties/a/minimum")
    assert change.message == "request minimum: was 0, is 1.5"
