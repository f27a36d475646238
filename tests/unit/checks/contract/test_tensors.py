"""Tensors of a manifest, against values and schemas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.contract.settings import TensorSettings
from harness.checks.contract.tensors import ManifestError, Schemas, Tensor, read_tensor, value_problem
from harness.openapi.document import Document, Node

MANIFEST = {
    "x": {"name": "features", "dtype": "float32", "shape": ["batch", 2], "names": [{"id": "a"}, {"id": "b"}]},
    "y": {"name": "p", "dtype": "tensor(float)", "shape": [None, 2], "classes": ["no", "yes"]},
    "z": {"name": "z", "dtype": "UINT8", "shape": [-1, 1, 3]},
}
FEATURES = TensorSettings(
    pointer="/features", name="/x/name", dtype="/x/dtype", shape="/x/shape", keys="/x/names", key="/id"
)
PIXELS = TensorSettings(pointer="/instance", dtype="/z/dtype", shape="/z/shape")
NAMED = Tensor("float32", "float", (2,), ("a", "b"))
BYTES = Tensor("UINT8", "integer", (1, 3), None)


def changed(part, **members):
    return MANIFEST | {part: MANIFEST[part] | members}


def test_what_a_manifest_says():
    assert read_tensor(MANIFEST, "features", FEATURES) == NAMED
    assert read_tensor(MANIFEST, "pixels", PIXELS) == BYTES
    classes = TensorSettings(pointer="", dtype="/y/dtype", shape="/y/shape", keys="/y/classes")
    assert read_tensor(MANIFEST, "p", classes) == Tensor("tensor(float)", "float", (2,), ("no", "yes"))
    assert read_tensor(changed("z", shape=[1, "rows", 3]), "z", PIXELS).shape == (None, 3)


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ({}, "nothing at '/x/name'"),
        (changed("x", name="other"), "names it 'other', the suite 'features'"),
        (changed("x", dtype="float33"), "no dtype: 'float33'"),
        (changed("x", dtype=None), "no dtype"),
        (changed("x", shape=2), "no shape"),
        (changed("x", shape=[]), "no shape"),
        (changed("x", shape=["batch", 3]), "2 names at /x/names, the shape is ['batch', 3]"),
        (changed("x", shape=["batch"]), "2 names"),
        (changed("x", names=[{"id": "a"}, {"id": "a"}]), "no list of distinct names"),
        (changed("x", names={"id": "a"}), "no list of distinct names"),
        (changed("x", names=["a", "b"]), "nothing at '/id'"),
    ],
)
def test_what_it_does_not_say_is_named(manifest, problem):
    with pytest.raises(ManifestError) as caught:
        read_tensor(manifest, "features", FEATURES)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("tensor", "value", "problem"),
    [
        (NAMED, {"a": 1, "b": 0.5}, ""),
        (NAMED, {"a": 1}, "object at the top instead of an object with the 2 names"),
        (NAMED, {"a": 1, "b": 2, "c": 3}, "instead of an object with the 2 names"),
        (NAMED, [1, 2], "array at the top instead of an object"),
        (NAMED, {"a": 1, "b": "2"}, "string '2' at /b instead of float32"),
        (NAMED, {"a": True, "b": 2}, "boolean True at /a"),
        (NAMED, {"a": None, "b": 2}, "null None at /a"),
        (BYTES, [[1, 2, 3]], ""),
        (BYTES, [[1, 2]], "array of 2 at /0 instead of 3"),
        (BYTES, [[1, 2, 3], [1, 2, 3]], "array of 2 at the top instead of 1"),
        (BYTES, [[1, 2.0, 3]], "number 2.0 at /0/1 instead of UINT8"),
        (BYTES, [1], "number at /0 instead of an array"),
        (Tensor("bool", "bool", (), None), True, ""),
        (Tensor("bool", "bool", (), None), 1, "number 1"),
        (Tensor("string", "string", (None,), None), ["a"], ""),
        (Tensor("string", "string", (None,), None), ["a", 1], "number 1 at /1"),
    ],
)
def test_values(tensor, value, problem):
    found = value_problem(value, tensor)
    assert problem in found if problem else found == ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_value_is_judged(value):
    assert isinstance(value_problem(value, BYTES), str)


NUMBER, INTEGER = {"type": "number"}, {"type": "integer"}


def objects(**properties):
    return {"type": "object", "properties": properties}


def arrays(items, least=None, most=None):
    bounds = {"minItems": least, "maxItems": most}
    return {
        "type": "array",
        "items": items,
        **{key: value for key, value in bounds.items() if value is not None},
    }


def problem_of(schema, tensor):
    document = {"openapi": "3.1.0", "paths": {}, "components": {"schemas": {"A": NUMBER, "S": schema}}}
    node = Node("d", "/components/schemas/S", schema)
    return Schemas(Document(document, "d")).problem((node,), tensor)


@pytest.mark.parametrize(
    ("tensor", "schema", "problem"),
    [
        (NAMED, objects(a=NUMBER, b={"$ref": "#/components/schemas/A"}), ""),
        (NAMED, {"type": "object"}, ""),
        (NAMED, {"allOf": [objects(a=NUMBER), objects(b=NUMBER)]}, ""),
        (NAMED, objects(a=NUMBER, b=INTEGER), "documented is integer for float32 at 'b'"),
        (NAMED, objects(a=NUMBER, c=NUMBER), "differ in the names ['b', 'c']"),
        (NAMED, arrays(NUMBER), "documented is array instead of an object"),
        (BYTES, arrays(arrays(INTEGER, 3, 3), 1, 1), ""),
        (BYTES, arrays(arrays(INTEGER)), ""),
        (BYTES, {"oneOf": [objects(base64={"type": "string"}), arrays(arrays(INTEGER, 3, 3), 1, 1)]}, ""),
        (BYTES, arrays(arrays(INTEGER, 4, 4), 1, 1), "documented are 4 to 4 items for 3"),
        (BYTES, arrays(arrays(NUMBER, 3, 3)), "for UINT8"),
        (BYTES, arrays(INTEGER), "documented is integer instead of an array"),
        (BYTES, False, "allows nothing"),
    ],
)
def test_schemas(tensor, schema, problem):
    found = problem_of(schema, tensor)
    assert problem in found if problem else found == ""
