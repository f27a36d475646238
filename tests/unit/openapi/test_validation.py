"""Values against the schemas of a document, in both dialects."""

import pytest

from harness.openapi import OpenAPIError
from harness.openapi.answers import documented_operations
from harness.openapi.validation import SchemaValidator

AT = "/paths/~1a b~1{x}/get/responses/200/content/application~1json/schema"


def document(schema, version="3.1.0", **components):
    media = {"content": {"application/json": {"schema": schema}}}
    return {
        "openapi": version,
        "paths": {"/a b/{x}": {"get": {"responses": {"200": media}}}},
        "components": {"schemas": components},
    }


def fits(schema, value, version, **components):
    return SchemaValidator(document(schema, version, **components)).problem(AT, value) == ""


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_references_into_the_document_are_followed(version):
    ref = {"$ref": "#/components/schemas/A"}
    assert fits(ref, 1, version, A={"type": "integer"})
    assert not fits(ref, "1", version, A={"type": "integer"})
    assert fits(ref, {"next": {"next": {}}}, version, A={"type": "object", "properties": {"next": ref}})


@pytest.mark.parametrize(
    ("schema", "valid", "invalid"),
    [
        ({"type": "string", "nullable": True}, None, 1),
        ({"type": "string", "enum": ["a"], "nullable": True}, None, "b"),
        ({"type": "number", "minimum": 3, "exclusiveMinimum": True}, 3.1, 3),
    ],
)
def test_what_3_0_writes_otherwise(schema, valid, invalid):
    assert fits(schema, valid, "3.0.3")
    assert not fits(schema, invalid, "3.0.3")


def test_what_3_1_has_besides():
    assert fits({"type": ["string", "null"]}, None, "3.1.0")
    assert not fits({"type": "number", "exclusiveMinimum": 3}, 3, "3.1.0")
    assert not fits({"const": 1}, 2, "3.1.0")


@pytest.mark.parametrize(
    "schema",
    [{"type": "nope"}, {"$ref": "http://127.0.0.1:9/x"}, {"$ref": "#/nowhere"}, {"pattern": "("}],
)
def test_a_schema_that_cannot_be_used_names_its_place(schema):
    with pytest.raises(OpenAPIError) as caught:
        SchemaValidator(document(schema)).problem(AT, 1)
    assert caught.value.pointer == AT


def test_a_schema_that_is_only_itself_ends():
    assert fits({"$ref": "#/components/schemas/A"}, 1, "3.1.0", A={"$ref": "#/components/schemas/A"})


@pytest.mark.parametrize(
    ("method", "path", "taken"),
    [
        ("GET", "/a b/3", True),
        ("get", "/a b/3?q=/x", True),
        ("GET", "/a b/3/4", False),
        ("GET", "/a b/", False),
        ("POST", "/a b/3", False),
    ],
)
def test_which_operation_takes_a_request(method, path, taken):
    [operation] = documented_operations(document({}))
    assert operation.takes(method, path) is taken
