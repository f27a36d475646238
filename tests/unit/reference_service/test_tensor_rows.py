"""A row of a tensor is read from both forms alike, exactly, and nothing else is read as one."""

import base64
import math
from contextlib import suppress

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_service.model.inputs import RANGES, TensorInput
from reference_service.model.tensors import LITTLE_ENDIAN, TensorError, TensorReader, summarise, tensor_schema

SUMMARIES = [
    {"name": name, "meaning": "m", "unit": "u", "training_min": 0, "training_max": 1}
    for name in ("mean", "std")
]


def declare(dtype, shape, minimum=None, maximum=None):
    low, high = RANGES[dtype]
    return TensorInput.model_validate(
        {
            "kind": "tensor",
            "name": "x",
            "dtype": dtype,
            "shape": ("batch", *shape),
            "minimum": low if minimum is None else minimum,
            "maximum": high if maximum is None else maximum,
            "meaning": "m",
            "unit": "u",
            "summaries": SUMMARIES,
        }
    )


def encode(values):
    raw = np.asarray(values).astype(LITTLE_ENDIAN[values.dtype.name]).tobytes(order="C")
    return {"base64": base64.b64encode(raw).decode()}


@st.composite
def rows(draw):
    """A dtype and a row of it, of rank 1 to 4, with the ends of the dtype's range likely."""
    dtype = draw(st.sampled_from(sorted(RANGES)))
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    low, high = RANGES[dtype]
    if dtype == "float32":
        value = st.floats(width=32, allow_nan=False, allow_infinity=False)
    else:
        value = st.integers(low, high) | st.sampled_from([low, high])
    size = math.prod(shape)
    return np.array(draw(st.lists(value, min_size=size, max_size=size)), dtype=dtype).reshape(shape)


@given(rows())
def test_both_forms_give_the_same_bits(values):
    declared = declare(values.dtype.name, values.shape)
    reader = TensorReader(declared)
    for form in (values.tolist(), encode(values)):
        read = reader.read(form)
        assert (read.dtype, read.shape) == (values.dtype, values.shape)
        assert read.tobytes() == values.tobytes()
        jsonschema.validate(form, tensor_schema(declared))


@given(rows(), st.data())
def test_a_list_of_another_length_anywhere_is_refused(values, data):
    nested = values.tolist()
    target = nested
    for size in values.shape[: data.draw(st.integers(0, values.ndim - 1))]:
        target = target[data.draw(st.integers(0, size - 1))]
    if data.draw(st.booleans()):
        target.append(target[0])
    else:
        target.pop()
    with pytest.raises(TensorError, match="shape"):
        TensorReader(declare(values.dtype.name, values.shape)).read(nested)


@pytest.mark.parametrize("dtype", sorted(RANGES))
@pytest.mark.parametrize("value", [True, "1", None, [1], {}, 1j])
def test_what_is_no_number_is_refused(dtype, value):
    with pytest.raises(TensorError) as raised:
        TensorReader(declare(dtype, (2,))).read([1, value])
    assert raised.value.code == "invalid_value"


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
@pytest.mark.parametrize("value", [1.5, 1e-300, float("nan"), float("inf"), 2.0**53, -(2.0**53), 1e18, 1e300])
def test_a_float_that_is_no_whole_number_or_may_have_been_another_is_refused(dtype, value):
    with pytest.raises(TensorError, match="whole numbers"):
        TensorReader(declare(dtype, (2,))).read([1, value])


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 255.0])
def test_a_whole_float_is_the_integer_that_json_schema_says_it_is(value):
    declared = declare("uint8", (2,))
    assert TensorReader(declared).read([7, value]).tolist() == [7, int(value)]
    jsonschema.validate([7, value], tensor_schema(declared))


@pytest.mark.parametrize(
    ("dtype", "value", "code"),
    [
        ("uint8", -1, "out_of_bounds"),
        ("uint8", 256, "out_of_bounds"),
        ("int64", 2**63, "out_of_bounds"),
        ("int64", -(2**63) - 1, "out_of_bounds"),
        ("int64", 10**400, "out_of_bounds"),
        ("float32", 1e39, "out_of_bounds"),
        ("float32", 10**400, "out_of_bounds"),
        ("float32", float("inf"), "not_finite"),
        ("float32", float("nan"), "not_finite"),
    ],
)
def test_what_the_dtype_does_not_hold_is_refused(dtype, value, code):
    with pytest.raises(TensorError) as raised:
        TensorReader(declare(dtype, (2,))).read([0, value])
    assert raised.value.code == code


@pytest.mark.parametrize("dtype", sorted(RANGES))
def test_the_declared_range_holds_in_both_forms(dtype):
    reader = TensorReader(declare(dtype, (2,), minimum=3, maximum=9))
    for ends in ([3, 9], encode(np.array([3, 9], dtype))):
        assert reader.read(ends).tolist() == [3, 9]
    for pair in ([2, 5], [5, 10]):
        for form in (pair, encode(np.array(pair, dtype))):
            with pytest.raises(TensorError, match="outside 3 to 9"):
                reader.read(form)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_bytes_that_are_not_finite_are_refused(value):
    with pytest.raises(TensorError, match="finite"):
        TensorReader(declare("float32", (1,))).read(encode(np.array([value], np.float32)))


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"base64": "AAE="}, None),
        ({"base64": "AAE"}, "invalid_base64"),
        ({"base64": "AA E="}, "invalid_base64"),
        ({"base64": "AAE=\n"}, "invalid_base64"),
        ({"base64": "AAE=="}, "invalid_base64"),
        ({"base64": "AA-_"}, "invalid_base64"),
        ({"base64": "AAF="}, "invalid_base64"),
        ({"base64": "ÀAE="}, "invalid_base64"),
        ({"base64": "\ud800"}, "invalid_base64"),
        ({"base64": ""}, "wrong_shape"),
        ({"base64": "AA=="}, "wrong_shape"),
        ({"base64": "AAEC"}, "wrong_shape"),
        ({"base64": 1}, "invalid_value"),
        ({"base64": "AAE=", "other": 1}, "invalid_value"),
        ({}, "invalid_value"),
        ("AAE=", "wrong_shape"),
        (None, "wrong_shape"),
        (0, "wrong_shape"),
        ((0, 1), "wrong_shape"),
    ],
)
def test_two_bytes_of_base64(form, code):
    declared = declare("uint8", (2,))
    reader, schema = TensorReader(declared), tensor_schema(declared)
    if code is None:
        assert reader.read(form).tolist() == [0, 1]
    else:
        with pytest.raises(TensorError) as raised:
            reader.read(form)
        assert raised.value.code == code
    if not isinstance(form, tuple):  # JSON has none
        assert jsonschema.Draft202012Validator(schema).is_valid(form) == (code is None)


@given(st.binary(min_size=1, max_size=9))
def test_base64_has_one_spelling_for_each_content(content):
    reader = TensorReader(declare("uint8", (len(content),)))
    text = base64.b64encode(content).decode()
    assert reader.read({"base64": text}).tobytes() == content
    for position, letter in enumerate(text):
        for other in "AB/=":
            changed = text[:position] + other + text[position + 1 :]
            if other == letter:
                continue
            with suppress(TensorError):
                assert reader.read({"base64": changed}).tobytes() != content


def test_summaries_are_mean_and_population_deviation():
    values = np.array([[[0, 255], [0, 255]], [[7, 7], [7, 7]]], dtype=np.uint8)
    assert summarise(values).tolist() == [[127.5, 127.5], [7, 0]]
    assert summarise(values).dtype == np.float32


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": ["batch"]}, "shape"),
        ({"shape": [1, 2]}, "first dimension"),
        ({"shape": ["batch", "batch"]}, "first dimension"),
        ({"shape": ["batch", 0]}, "shape"),
        ({"dtype": "float64"}, "dtype"),
        ({"minimum": 0.0}, "whole numbers"),
        ({"minimum": -1}, "no range of uint8"),
        ({"maximum": 256}, "no range of uint8"),
        ({"minimum": 9, "maximum": 3}, "no range of uint8"),
        ({"summaries": SUMMARIES[::-1]}, "mean and std"),
        ({"kind": "features"}, "kind|features"),
    ],
)
def test_a_declaration_that_contradicts_itself(change, message):
    whole = declare("uint8", (2, 2)).model_dump()
    assert TensorInput.model_validate(whole)
    with pytest.raises(ValueError, match=message):
        TensorInput.model_validate(whole | change)
