"""What holds for every document: nothing differs from itself, and nothing but OpenAPIError is raised."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.openapi import RULES, OpenAPIError, Severity, diff, has_breaking, operation_names, render

COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
NAMES = st.sampled_from(["a", "b", "c/d", "e~f"])
COMPONENTS = ("A", "B", "C")

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.sampled_from(["a", "b", ""])
leaves = st.one_of(
    st.just({}),
    st.booleans(),
    st.sampled_from([{"$ref": f"#/components/schemas/{name}"} for name in COMPONENTS]),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object"])},
        optional={
            "nullable": st.booleans(),
            "enum": st.lists(scalars, min_size=1, max_size=3),
            "minimum": st.integers(-3, 3),
            "exclusiveMaximum": st.booleans() | st.integers(-3, 3),
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "maxLength": st.integers(0, 4),
            "minItems": st.integers(0, 4),
            "pattern": st.sampled_from(["^a", "b$"]),
            "format": st.sampled_from(["int32", "int64", "uuid"]),
            "default": scalars,
            "readOnly": st.booleans(),
        },
    ),
    st.fixed_dictionaries({"type": st.lists(st.sampled_from(["string", "null", "integer"]), min_size=1)}),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"properties": st.dictionaries(NAMES, inner, max_size=3)},
            optional={
                "type": st.just("object"),
                "required": st.lists(NAMES, max_size=2),
                "additionalProperties": inner,
            },
        ),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.builds(
            lambda keyword, members: {keyword: members},
            st.sampled_from(["allOf", "anyOf", "oneOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda schema: {"not": schema}, inner),
    ),
    max_leaves=6,
)
content = st.dictionaries(
    st.sampled_from(["application/json", "text/plain", "*/*"]),
    st.builds(lambda schema: {"schema": schema}, schemas),
    max_size=2,
)
parameters = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES, "in": st.sampled_from(["query", "header", "path", "cookie"])},
        optional={"required": st.booleans(), "schema": schemas, "explode": st.booleans()},
    ),
    max_size=2,
)
operations = st.fixed_dictionaries(
    {
        "responses": st.dictionaries(
            st.sampled_from(["200", "2XX", "404", "default"]),
            st.fixed_dictionaries(
                {},
                optional={
                    "content": content,
                    "headers": st.dictionaries(
                        st.sampled_from(["X-A", "x-b"]),
                        st.builds(lambda schema: {"schema": schema}, schemas),
                        max_size=2,
                    ),
                },
            ),
            max_size=2,
        )
    },
    optional={
        "parameters": parameters,
        "requestBody": st.fixed_dictionaries({"content": content}, optional={"required": st.booleans()}),
        "security": st.lists(
            st.dictionaries(st.sampled_from(["k", "o"]), st.lists(st.sampled_from(["s", "t"]), max_size=2)),
            max_size=2,
        ),
    },
)
documents = st.fixed_dictionaries(
    {
        "openapi": st.sampled_from(["3.0.3", "3.1.0"]),
        "paths": st.dictionaries(
            st.sampled_from(["/p", "/i/{x}", "/i/{y}", "/i/{x}/z"]),
            st.dictionaries(st.sampled_from(["get", "post"]), operations, max_size=2),
            max_size=2,
        ),
        "components": st.fixed_dictionaries(
            {"schemas": st.fixed_dictionaries(dict.fromkeys(COMPONENTS, schemas))}
        ),
    }
)

# Without `oneOf`, which is compared as a union, and with objects that all list the same properties:
# a property that is new in a request counts as compatible, though an open object took any value for it.
# What `not` says of null is not looked at.
kinds = st.sampled_from(["string", "integer", "number", "boolean", "array"])
comparable = st.recursive(
    st.one_of(
        st.just({}),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["string", "integer", "number", "boolean", "null"])},
            optional={
                "enum": st.lists(scalars, min_size=1, max_size=3),
                "minimum": st.integers(-2, 2),
                "exclusiveMaximum": st.integers(-2, 2),
                "maximum": st.floats(-2, 2),
                "multipleOf": st.sampled_from([1, 2, 0.5]),
                "minLength": st.integers(0, 2),
                "pattern": st.sampled_from(["^a", "b$"]),
            },
        ),
        st.fixed_dictionaries({"type": st.lists(st.sampled_from(["string", "null", "integer"]), min_size=1)}),
        st.builds(lambda value: {"const": value}, scalars),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.fixed_dictionaries({"a": inner, "b": inner})},
            optional={
                "required": st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
                "additionalProperties": inner | st.booleans(),
                "maxProperties": st.integers(0, 2),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array")},
            optional={
                "items": inner,
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
                "maxItems": st.integers(0, 2),
                "uniqueItems": st.booleans(),
            },
        ),
        st.builds(
            lambda keyword, members: {keyword: members},
            st.sampled_from(["allOf", "anyOf"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda kind, schema: {"type": kind, "not": schema}, kinds, inner),
    ),
    max_leaves=5,
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "z"]), inner),
    max_leaves=4,
)

json_values = st.recursive(
    scalars | st.text(max_size=4) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)

# Keys that mean something, over values that mean nothing.
KEYWORDS = st.sampled_from(
    [
        *("paths", "/p", "get", "post", "parameters", "responses", "200", "content", "headers", "security"),
        *("application/json", "schema", "requestBody", "components", "schemas", "securitySchemes", "A"),
        *("type", "properties", "required", "items", "allOf", "anyOf", "oneOf", "enum", "const", "nullable"),
        *("minimum", "multipleOf", "pattern", "default", "additionalProperties", "prefixItems", "not"),
        *("$ref", "discriminator", "servers", "callbacks", "in", "name", "flows", "style", "readOnly"),
    ]
)
garbage = st.recursive(
    scalars | st.sampled_from(["string", "#/components/schemas/A", "#", "query", "oauth2"]) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def broken_documents(draw):
    """A sound document with one value, anywhere in it, replaced by garbage."""
    document = json.loads(json.dumps(draw(documents)))
    holder = document
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = draw(st.sampled_from(keys))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 9)) == 0:
            holder[key] = draw(garbage)
            return document
        holder = inner


def attempt(old, new):
    try:
        return diff(old, new)
    except OpenAPIError:
        return []


@COMMON
@given(documents)
def test_nothing_differs_from_itself(document):
    assert diff(document, document) == []
    assert diff(document, json.loads(json.dumps(document, sort_keys=True))) == []


@COMMON
@given(documents, documents)
def test_changes_are_well_formed_and_do_not_depend_on_the_order_of_keys(old, new):
    changes = diff(old, new)
    assert changes == diff(json.loads(json.dumps(old, sort_keys=True)), new)
    assert len({change.model_dump_json() for change in changes}) == len(changes)
    for change in changes:
        assert change.severity is RULES[change.rule]
        assert change.message
        assert change.pointer.startswith("/")
        assert change.operation == "" or change.operation in operation_names(old) + operation_names(new)
    assert has_breaking(changes) == any(change.severity is Severity.ERROR for change in changes)
    assert len(render(changes)) == len(changes) + 1


@settings(COMMON, max_examples=150)
@given(comparable, comparable, st.lists(values, min_size=1, max_size=8))
def test_what_is_called_compatible_is_compatible(old, new, instances):
    """Against an independent validator: requests may only be widened, responses only be narrowed."""

    def document(**parts):
        return {"openapi": "3.1.0", "paths": {"/p": {"post": {"responses": {"200": {}}, **parts}}}}

    def media(schema):
        return {"content": {"application/json": {"schema": schema}}}

    taken = [Draft202012Validator(old).is_valid(value) for value in instances]
    taken_now = [Draft202012Validator(new).is_valid(value) for value in instances]
    if not has_breaking(diff(document(requestBody=media(old)), document(requestBody=media(new)))):
        assert all(now for before, now in zip(taken, taken_now, strict=True) if before)
    answers = (document(responses={"200": media(schema)}) for schema in (old, new))
    if not has_breaking(diff(*answers)):
        assert all(before for before, now in zip(taken, taken_now, strict=True) if now)


@COMMON
@given(json_values | garbage, json_values | garbage)
def test_arbitrary_json_raises_nothing_else(old, new):
    attempt(old, new)
    attempt({"openapi": "3.1.0", "paths": old}, {"openapi": "3.0.3", "paths": new})
    attempt({"openapi": "3.1.0", "paths": {"/p": old}}, {"openapi": "3.0.3", "paths": {"/p": new}})


@settings(COMMON, max_examples=100)
@given(broken_documents(), documents)
def test_a_broken_document_raises_nothing_else(broken, document):
    attempt(broken, broken)
    attempt(broken, document)
    attempt(document, broken)
