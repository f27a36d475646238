"""Bodies made from examples and schemas."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.openapi.document import Document
from harness.openapi.model import OpenAPIError
from harness.openapi.validation import SchemaValidator
from harness.suite_init.endpoint import choose
from harness.suite_init.sampling import samples, varied


def document(schema, version="3.1.0", **media):
    body = {"required": True, "content": {"application/json": {"schema": schema, **media}}}
    operation = {"requestBody": body, "responses": {"200": {"description": "OK"}}}
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/predict": {"post": operation}},
        "components": {"schemas": {"Row": {"type": "array", "items": {"type": "number"}, "minItems": 4}}},
    }


def made(described, count=5, seed=0, given=()):
    parsed = Document(described, "document")
    asked = choose(parsed, None, has_request=bool(given))
    return list(samples(asked, parsed, given, count, seed).bodies)


SCHEMAS = [
    {
        "type": "object",
        "required": ["row"],
        "properties": {"row": {"$ref": "#/components/schemas/Row"}, "k": {}},
    },
    {"type": "array", "items": {"type": "integer", "minimum": 3, "maximum": 5}, "minItems": 2, "maxItems": 2},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 0.5},
    {"type": "number", "minimum": -3.4e38, "maximum": 3.4e38},
    {"type": "number", "maximum": -7},
    {"type": "integer", "minimum": 7},
    {"type": "string", "minLength": 30, "maxLength": 31},
    {"type": "string", "maxLength": 3},
    {"enum": ["a", "b"]},
    {"const": {"a": 1}},
    {"anyOf": [{"type": "null"}, {"type": "boolean"}]},
    {"type": ["null", "integer"]},
    {
        "allOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}}],
        "properties": {},
    },
    {"prefixItems": [{"type": "string"}, {"type": "integer"}], "type": "array"},
    {"type": "object", "properties": {"when": {"type": "string", "format": "date"}, "x": {"type": "number"}}},
    {"items": {"type": "number", "examples": [2.5]}},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:40])
def test_what_is_made_fits_its_schema(schema):
    described = document(schema)
    validator = SchemaValidator(described)
    at = "/paths/~1predict/post/requestBody/content/application~1json/schema"
    bodies = made(described)
    assert bodies
    for body in bodies:
        assert validator.problem(at, body) == ""


def test_the_same_seed_makes_the_same_and_no_body_twice():
    described = document({"type": "array", "items": {"type": "number"}, "minItems": 2})
    assert made(described, 20) == made(described, 20)
    assert made(described, 20) != made(described, 20, seed=1)
    assert len({json.dumps(body) for body in made(described, 20)}) == 20


def test_examples_come_first_and_are_varied():
    described = document({}, examples={"one": {"value": {"x": [1.5, 2], "mode": "fast"}}})
    first, *others = made(described)
    assert first == {"x": [1.5, 2], "mode": "fast"}
    assert len(others) == 4
    for each in others:
        assert each["mode"] == "fast"
        assert each["x"][1] == 2
        assert each["x"][0] == pytest.approx(1.5, rel=0.1)


def test_bodies_of_the_user_are_asked_as_they_are():
    described = document({"type": "number"})
    assert made(described, given=[{"x": 1.5}, {"x": 2.5}]) == [{"x": 1.5}, {"x": 2.5}]
    assert len(made(described, given=[{"x": 1.5}])) == 5


def test_a_flag_of_openapi_3_0_is_no_bound():
    schema = {"type": "number", "minimum": 2, "exclusiveMinimum": True, "maximum": 3}
    assert all(2 < body < 3 for body in made(document(schema, "3.0.3")))


def test_no_variation_leaves_the_bounds():
    row = {"type": "array", "items": {"type": "number", "maximum": 1}, "example": [1.0, 0.5]}
    bodies = made(document(row), 20)
    assert len(bodies) == 20
    assert all(max(body) <= 1 for body in bodies)
    fixed = {"type": "array", "items": {"enum": [0.5, 1.5]}, "minItems": 2}
    assert all(set(body) <= {0.5, 1.5} for body in made(document(fixed)))


def test_what_cannot_be_made_to_fit_is_asked_all_the_same():
    assert made(document({"type": "string", "pattern": "^[0-9]{5}$"}))


def test_a_schema_that_holds_itself_ends():
    described = document({"$ref": "#/components/schemas/Tree"})
    described["components"]["schemas"]["Tree"] = {
        "type": "object",
        "properties": {"left": {"$ref": "#/components/schemas/Tree"}, "x": {"type": "number"}},
    }
    assert made(described, 1)


BOUNDS = st.floats(-20, 20) | st.integers(-20, 20)


@given(st.sampled_from(["integer", "number"]), st.lists(BOUNDS, min_size=4, max_size=4))
def test_any_bounds_of_a_number_make_one(kind, bounds):
    names = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    (body,) = made(document({"type": kind, **dict(zip(names, bounds, strict=True))}), 1)
    assert isinstance(body, int if kind == "integer" else float)


def test_no_integer_between_the_bounds_makes_the_next_one():
    assert made(document({"type": "integer", "minimum": 3.2, "maximum": 3.7})) == [4]


KEYS = [
    *("type", "properties", "items", "required", "minimum", "maximum", "minItems", "maxItems", "minLength"),
    *("maxLength", "anyOf", "oneOf", "allOf", "enum", "const", "default", "example", "examples", "format"),
    *("prefixItems", "exclusiveMinimum", "$ref"),
]
SCHEMA_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner | st.sampled_from(["object", "array", "string", "number", "integer"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(SCHEMA_LIKE)
def test_a_hostile_schema_is_an_error_or_makes_json(schema):
    described = document({"type": "object", "properties": {"x": schema}})
    try:
        bodies = made(described, 2)
    except OpenAPIError:
        return
    json.dumps(bodies, allow_nan=False)


@settings(max_examples=30)
@given(
    st.recursive(st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_varying_keeps_the_layout(body):
    other = varied(body, np.random.default_rng(0))
    assert type(other) is type(body)
    if isinstance(body, list):
        assert len(other) == len(body)
