"""Documents that are no OpenAPI, too deep, too large or too entangled: a clear error, never a hang."""

import sys
import time

import pytest

from harness.errors import ExitCode
from harness.openapi import OpenAPIError, diff
from harness.openapi.document import MAX_DEPTH, Budget, Node

LEVELS = 10_000


def api(schema, components=None, version="3.1.0"):
    return {
        "openapi": version,
        "paths": {"/p": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}},
        "components": {"schemas": components or {}},
    }


def deep(wrap, levels=LEVELS):
    value = {}
    for _ in range(levels):
        value = wrap(value)
    return value


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("document", "pointer", "allowed"),
    [
        (None, "the top", "an object"),
        ([], "the top", "an object"),
        ({}, "the top", "the key openapi"),
        ({"openapi": 3, "paths": {}}, "/openapi", "a text"),
        ({"swagger": "2.0", "paths": {}}, "the top", "the key openapi"),
        ({"openapi": "2.0", "paths": {}}, "/openapi", "3.0.x or 3.1.x"),
        ({"openapi": "3.1.0"}, "the top", "the key paths"),
        ({"openapi": "3.1.0", "paths": []}, "/paths", "an object"),
        ({"openapi": "3.1.0", "paths": {"p": {}}}, "/paths/p", "begins with /"),
        ({"openapi": "3.1.0", "paths": {"/p": 3}}, "/paths/~1p", "an object"),
        ({"openapi": "3.1.0", "paths": {"/p": {"get": []}}}, "/paths/~1p/get", "an object"),
        (
            {"openapi": "3.1.0", "paths": {"/p": {"get": {"responses": {"20x": {}}}}}},
            "/paths/~1p/get/responses/20x",
            "200, 2XX or default",
        ),
        (
            {"openapi": "3.1.0", "paths": {"/p": {"get": {"responses": {"200": {}, 404: {}}}}}},
            "/paths/~1p/get/responses",
            "a text as key",
        ),
        (
            {"openapi": "3.1.0", "paths": {"/p": {"get": {"parameters": [{"in": "query"}]}}}},
            "/parameters/0",
            "with a name",
        ),
        (
            {"openapi": "3.1.0", "paths": {"/p": {"get": {"responses": {"2xx": {}, "2XX": {}}}}}},
            "/paths/~1p/get/responses/2XX",
            "stands here twice",
        ),
        (api({"type": "strnig"}), "/type", "one of null, boolean"),
        (api({"type": 3}), "/type", "a list"),
        (api({"type": "object", "required": "a"}), "/required", "a list"),
        (api({"type": "object", "properties": []}), "/properties", "an object"),
        (api({"type": "object", "properties": {"a": 3}}), "/properties/a", "an object"),
        (api({"type": "number", "minimum": "0"}), "/minimum", "a number"),
        (api({"type": "number", "minimum": True}), "/minimum", "a number"),
        (api({"type": "number", "multipleOf": 0}), "/schema", "greater than 0"),
        (api({"allOf": {}}), "/allOf", "a list"),
        (api({"nullable": "yes"}), "/nullable", "true or false"),
        (api({"$ref": 3}), "/$ref", "a text"),
        (api({"$ref": "https://example.org/a.json#/A"}), "/$ref", "into this document"),
        (api({"$ref": "other.yaml"}), "/$ref", "into this document"),
        (api(ref("Missing")), "/$ref", "this document holds"),
        (api({"$ref": "#/paths/" + "9" * 5000}), "/$ref", "this document holds"),
        (api({"default": float("nan")}), "/default", "finite"),
        (api({"default": 10**400}), "/default", "finite"),
        (api({"default": "\ud800"}), "/default", "valid Unicode"),
        (api({"default": {1, 2}}), "/default", "an object, list, text"),
    ],
)
def test_what_is_wrong_is_named(document, pointer, allowed):
    fine = {"openapi": "3.1.0", "paths": {}}
    with pytest.raises(OpenAPIError) as caught:
        diff(document, document)
    assert pointer in str(caught.value)
    assert allowed in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE
    if pointer in ("the top", "/openapi", "/paths"):
        with pytest.raises(OpenAPIError, match=r"^new document: "):
            diff(fine, document)
        with pytest.raises(OpenAPIError, match=r"^old document: "):
            diff(document, fine)


@pytest.mark.parametrize(
    "schema",
    [
        deep(lambda inner: {"type": "array", "items": inner}),
        deep(lambda inner: {"type": "object", "properties": {"a": inner}}),
        deep(lambda inner: {"allOf": [inner]}),
        deep(lambda inner: {"anyOf": [inner, {"type": "string"}]}),
        {"default": deep(lambda inner: [inner])},
    ],
    ids=["items", "properties", "allOf", "anyOf", "default"],
)
def test_ten_thousand_levels_are_refused(schema):
    with pytest.raises(OpenAPIError, match=rf"at most {MAX_DEPTH} levels of nesting"):
        diff(api(schema), api(schema))


@pytest.mark.parametrize(
    "document", [deep(lambda inner: [inner]), deep(lambda inner: {"openapi": inner})], ids=["list", "object"]
)
def test_ten_thousand_levels_at_the_top_are_refused(document):
    with pytest.raises(OpenAPIError):
        diff(document, document)


def test_a_value_that_holds_itself_is_refused():
    loop = {}
    loop["not"] = loop
    with pytest.raises(OpenAPIError, match="levels of nesting"):
        diff(api(loop), api(loop))


@pytest.mark.parametrize("wrap", [ref, lambda name: {"allOf": [ref(name)]}], ids=["ref", "allOf"])
def test_ten_thousand_references_in_a_chain_are_refused(wrap):
    chain = {f"S{i}": wrap(f"S{i + 1}") for i in range(LEVELS)} | {f"S{LEVELS}": {}}
    with pytest.raises(OpenAPIError, match="references and compositions in a chain"):
        diff(api(ref("S0"), chain), api(ref("S0"), chain))


def test_ten_thousand_components_deep_is_fine():
    chain = {f"S{i}": {"type": "object", "properties": {"a": ref(f"S{i + 1}")}} for i in range(LEVELS)}
    old = api(ref("S0"), chain | {f"S{LEVELS}": {"type": "string"}})
    new = api(ref("S0"), chain | {f"S{LEVELS}": {"type": "integer"}})
    assert diff(old, old) == []
    [change] = diff(old, new)
    assert (change.rule, change.pointer) == ("request-type-changed", f"/components/schemas/S{LEVELS}/type")


@pytest.mark.parametrize(
    "join",
    [lambda a: {"allOf": [a, a]}, lambda a: {"anyOf": [a, a]}, lambda a: {"oneOf": [a, {"allOf": [a]}]}],
    ids=["allOf", "anyOf", "mixed"],
)
def test_exponential_compositions_are_refused_in_time(join):
    doubling = {f"S{i}": join(ref(f"S{i + 1}")) for i in range(30)} | {"S30": {"type": "string"}}
    began = time.monotonic()
    with pytest.raises(OpenAPIError, match="at most"):
        diff(api(ref("S0"), doubling), api(ref("S0"), doubling))
    assert time.monotonic() - began < 30


def test_too_many_alternatives_are_refused():
    wide = {
        "allOf": [{"anyOf": [{"type": "string", "const": f"{i}{j}"} for j in range(20)]} for i in range(3)]
    }
    with pytest.raises(OpenAPIError, match="alternatives in a schema"):
        diff(api(wide), api(wide))


def test_repetition_by_shared_objects_is_refused():
    value = "x"
    for _ in range(30):
        value = [value, value]
    with pytest.raises(OpenAPIError, match="values in a document"):
        diff(api({"default": value}), api({"default": value}))


def test_a_long_key_above_many_values_is_refused_before_their_pointers_are_made():
    """A megabyte of JSON: the key stands in the pointer to each of the values, ten gigabytes in all."""
    served = api({"default": {"k" * 100_000: [0] * 100_000}})
    with pytest.raises(OpenAPIError, match="characters in the JSON pointers") as caught:
        diff(api({}), served)
    assert len(str(caught.value)) < 1000


def test_more_values_than_are_read_are_refused_before_they_are_looked_at():
    with pytest.raises(OpenAPIError, match="values in a document"):
        diff(api({}), api({"default": [0] * 2_000_000}))


def test_more_changes_than_anybody_reads_are_refused():
    many = {"type": "object", "properties": {f"p{number}": {} for number in range(200_000)}}
    with pytest.raises(OpenAPIError, match="steps of comparison"):
        diff(api({"type": "object"}), api(many))


def test_unions_that_all_differ_end_in_time():
    def union(offset):
        return {
            "oneOf": [
                {
                    "type": "object",
                    "properties": {
                        f"p{i + offset}": {
                            "oneOf": [{"type": "object", "maxProperties": j + offset} for j in range(8)]
                        }
                    },
                }
                for i in range(8)
            ]
        }

    began = time.monotonic()
    assert diff(api(union(1)), api(union(2)))
    assert time.monotonic() - began < 20


def test_the_budget_names_the_place():
    budget = Budget(steps=2)
    node = Node("old document", "/paths", {})
    budget.spend(2, node)
    with pytest.raises(OpenAPIError, match=r"^old document: at /paths: .* steps of comparison"):
        budget.spend(1, node)


def test_comparison_needs_no_deep_stack():
    before = sys.getrecursionlimit()
    schema = deep(lambda inner: {"items": inner}, levels=MAX_DEPTH - 8)
    composed = deep(lambda inner: {"allOf": [inner]}, levels=50)
    assert diff(api(schema), api(schema)) == []
    assert diff(api(composed), api(composed)) == []
    assert sys.getrecursionlimit() == before
