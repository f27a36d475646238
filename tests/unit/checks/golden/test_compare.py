"""The comparator against mutants of an answer, and its laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.compare import compare, tolerance_used
from harness.checks.golden.limits import Tolerance
from harness.checks.golden.settings import OutputSettings
from harness.checks.golden.wire import WireError, cut, json_type, leaves, parse_json

EXACT = Tolerance()
LOOSE = Tolerance(atol=1e-5, rtol=1e-4)
FINITE = st.floats(-1e30, 1e30, allow_nan=False, allow_infinity=False)


def output(dtype="float32", **declared):
    return OutputSettings(pointer="/value", dtype=dtype, **declared)


PROBABILITIES = output(keys=("benign", "malignant"))
EXPECTED = {"benign": 0.25, "malignant": 0.75}


def verdict(observed, expected, declared, tolerance=LOOSE):
    return compare(observed, expected, declared, tolerance)


def test_the_same_object_holds_and_uses_nothing():
    found = verdict(EXPECTED, EXPECTED, PROBABILITIES)
    assert found.holds
    assert found.tolerance_used == 0


@pytest.mark.parametrize(
    ("mutant", "problem"),
    [
        ({"benign": 0.25}, "lacks ['malignant']"),
        ({"benign": 0.25, "malignant": 0.75, "unknown": 0.0}, "also has ['unknown']"),
        ({"Benign": 0.25, "malignant": 0.75}, "lacks ['benign'] and also has ['Benign']"),
        ([0.25, 0.75], "array instead of an object"),
        (0.25, "number instead of an object"),
        ({"benign": "0.25", "malignant": 0.75}, "string instead of a number"),
        ({"benign": None, "malignant": 0.75}, "null instead of a number"),
        ({"benign": "NaN", "malignant": 0.75}, "string instead of a number"),
        ({"benign": False, "malignant": 0.75}, "boolean instead of a number"),
        ({"benign": [0.25], "malignant": 0.75}, "array instead of a number"),
        ({"benign": 1e39, "malignant": 0.75}, "beyond float32"),
        ({}, "lacks ['benign', 'malignant']"),
        (None, "null instead of an object"),
    ],
)
def test_a_mutant_of_type_or_shape_breaks_under_any_tolerance(mutant, problem):
    found = verdict(mutant, EXPECTED, PROBABILITIES, Tolerance(atol=1e30))
    assert not found.holds
    assert found.tolerance_used == math.inf
    assert problem in found.problem


def test_swapped_values_break_and_the_worst_element_is_named():
    found = verdict({"benign": 0.75, "malignant": 0.25}, EXPECTED, PROBABILITIES)
    assert not found.holds
    assert found.pointer == "/benign"
    assert (found.expected, found.observed) == (0.25, 0.75)


def test_key_order_does_not_matter():
    assert verdict({"malignant": 0.75, "benign": 0.25}, EXPECTED, PROBABILITIES, EXACT).holds


def test_a_pointer_to_an_odd_key_is_escaped():
    declared = output(keys=("a/b~c",))
    found = verdict({"a/b~c": 1.0}, {"a/b~c": 0.0}, declared)
    assert found.pointer == "/a~1b~0c"


@pytest.mark.parametrize(
    "mutant",
    [
        [[1.0, 2.0]],
        [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        [[1.0, 2.0], [3.0]],
        [1.0, 2.0, 3.0, 4.0],
        [[1.0, 3.0], [2.0, 4.0]],
        [[[1.0], [2.0]], [[3.0], [4.0]]],
        [],
    ],
)
def test_another_shape_or_order_of_an_array_breaks(mutant):
    matrix = output(shape=(2, 2))
    expected = [[1.0, 2.0], [3.0, 4.0]]
    assert verdict(expected, expected, matrix).holds
    assert not verdict(mutant, expected, matrix).holds


@pytest.mark.parametrize("token", ["1", "1.0", "1e0", "10E-1"])
def test_a_float_may_be_any_number_token(token):
    assert verdict(parse_json(token.encode()), 1.0, output("float64"), EXACT).holds


@pytest.mark.parametrize("token", ["1.0", "1e0", "true", '"1"', "null", "[1]"])
def test_an_integer_needs_an_integer_token(token):
    assert verdict(1, 1, output("int64"), EXACT).holds
    assert not verdict(parse_json(token.encode()), 1, output("int64"), Tolerance(atol=10)).holds


@pytest.mark.parametrize("token", ["1", "0", '"true"', "null"])
def test_a_bool_is_a_bool(token):
    assert verdict(True, True, output("bool"), EXACT).holds
    assert not verdict(parse_json(token.encode()), True, output("bool"), EXACT).holds
    assert not verdict(False, True, output("bool"), EXACT).holds


@pytest.mark.parametrize("mutant", ["Malignant", "malignant ", "", 1, None, ["malignant"]])
def test_a_label_is_exact(mutant):
    assert verdict("malignant", "malignant", output("string"), EXACT).holds
    assert not verdict(mutant, "malignant", output("string"), EXACT).holds


@pytest.mark.parametrize(
    ("dtype", "largest", "beyond"),
    [
        ("int32", 2**31 - 1, 2**31),
        ("int32", -(2**31), -(2**31) - 1),
        ("int64", 2**63 - 1, 2**63),
        ("float16", 65504.0, 65520.0),
        ("float16", -65519.0, -65520),
        ("bfloat16", 3.3895e38, 3.4e38),
        ("float32", 3.4028234663852886e38, 3.4028235677973366e38),
        ("float64", 1.7976931348623157e308, 10**400),
    ],
)
def test_the_range_of_a_dtype(dtype, largest, beyond):
    assert leaves(largest, output(dtype)) == {"": largest}
    with pytest.raises(WireError, match=f"beyond {dtype}"):
        leaves(beyond, output(dtype))


@pytest.mark.parametrize("printed", [0.1, 0.10000000149011612])
def test_both_ways_to_print_a_float32_are_float32(printed):
    assert verdict(printed, 0.1, output("float32")).holds


@pytest.mark.parametrize(
    "text",
    [
        '{"p": NaN}',
        '{"p": -Infinity}',
        "Infinity",
        "1e999",
        '{"p": 0.1, "p": 0.9}',
        '{"p": 0.1',
        "",
        "0.1 0.2",
        '"\\ud800"',
        "[" * 65 + "]" * 65,
        "[" * 100_000,
        "9" * 5000,
    ],
)
def test_what_is_not_json_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text.encode())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-Infinity", "^-Infinity is not JSON$"),
        ("-1e999", "^'-1e999' is beyond a double$"),
        ('{"p": 1, "p": 1}', "^an object has a key twice$"),
        ('{"a":' * 65 + "1" + "}" * 65, "^nested more than 64 levels$"),
        ('{"a":[' * 33 + "1" + "]}" * 33, "^nested more than 64 levels$"),
        ("[" * 100_000, "^nested more than 64 levels$"),
    ],
)
def test_what_is_not_json_is_told(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_json(text.encode())


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (1, "number"),
        (1.5, "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_json_names_its_types(value, name):
    assert json_type(value) == name


@pytest.mark.parametrize(("length", "kept"), [(9, 9), (10, 10), (11, 10), (500, 10)])
def test_text_is_cut_to_a_length(length, kept):
    cut_text = cut("x" * length, 10)
    assert len(cut_text) == kept
    assert cut_text.endswith("...") == (length > 10)
    assert len(cut("x" * 500)) == 200


def test_invalid_utf8_is_refused():
    with pytest.raises(ValueError, match="utf-8"):
        parse_json(b'"\xff"')


def test_64_levels_are_read():
    assert parse_json(("[" * 63 + "1" + "]" * 63).encode())


TOLERANCES = st.builds(Tolerance, atol=st.floats(1e-12, 1e3), rtol=st.floats(0, 1))


@given(FINITE, TOLERANCES, st.floats(-0.999, 0.999))
def test_within_tolerance_always_passes(expected, tolerance, share):
    allowed = tolerance.atol + tolerance.rtol * abs(expected)
    observed = expected + share * allowed
    found = verdict(observed, expected, output("float64"), tolerance)
    # Adding, subtracting and multiplying round by at most an ulp each.
    rounding = 4 * (math.ulp(observed) + math.ulp(expected)) / allowed + 1e-12
    assert found.tolerance_used <= abs(share) + rounding
    assert found.holds or abs(share) + rounding > 1


@given(FINITE, TOLERANCES, st.floats(1.001, 1e6), st.sampled_from([-1, 1]))
def test_slightly_beyond_tolerance_always_fails(expected, tolerance, share, sign):
    allowed = tolerance.atol + tolerance.rtol * abs(expected)
    observed = expected + sign * share * allowed
    # The sum is rounded: what counts is where the observed value really is.
    if abs(observed - expected) > allowed:
        assert not verdict(observed, expected, output("float64"), tolerance).holds


@given(FINITE, FINITE, st.floats(0, 1e3))
def test_an_absolute_tolerance_is_symmetric(one, other, atol):
    tolerance = Tolerance(atol=atol)
    assert tolerance_used(one, other, tolerance, "float64") == tolerance_used(
        other, one, tolerance, "float64"
    )


@given(FINITE, FINITE, TOLERANCES)
def test_holds_is_what_the_formula_says(observed, expected, tolerance):
    allowed = tolerance.atol + tolerance.rtol * abs(expected)
    assert verdict(observed, expected, output("float64"), tolerance).holds == (
        abs(observed - expected) <= allowed
    )


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_exact_integers_hold_only_when_equal(one, other):
    assert verdict(one, other, output("int64"), EXACT).holds == (one == other)


@given(st.integers(0, 2**62), st.integers(1, 3))
def test_large_integers_do_not_meet_in_a_double(value, step):
    assert not verdict(value + step, value, output("int64"), EXACT).holds


@given(st.lists(FINITE, min_size=2, max_size=6), st.data())
def test_one_value_off_in_an_array_breaks_it_there(values, data):
    index = data.draw(st.integers(0, len(values) - 1))
    mutant = list(values)
    mutant[index] += 1 + abs(values[index])
    found = verdict(mutant, values, output("float64", shape=(len(values),)), EXACT)
    assert not found.holds
    assert found.pointer == f"/{index}"


@given(st.recursive(st.none() | st.booleans() | FINITE | st.text(), st.lists, max_leaves=5))
def test_any_json_is_compared_without_an_exception(observed):
    assert compare(observed, EXPECTED, PROBABILITIES, LOOSE).holds is False


# --- values that are no number


@pytest.mark.parametrize(
    ("observed", "expected", "holds"),
    [
        ("NaN", "NaN", True),
        ("Infinity", "Infinity", True),
        ("-Infinity", "-Infinity", True),
        ("Infinity", "-Infinity", False),
        ("NaN", "Infinity", False),
        ("NaN", 1.0, False),
        (1.0, "NaN", False),
        (3e38, "Infinity", False),
        ("nan", "NaN", False),
        (None, "NaN", False),
        (True, "NaN", False),
        ([], "NaN", False),
        ({}, "NaN", False),
    ],
)
def test_nonfinite_strings_hold_only_at_the_same_place_with_the_same_sign(observed, expected, holds):
    declared = output(nonfinite="strings", shape=(2,))
    found = verdict([observed, 1.0], [expected, 1.0], declared, Tolerance(atol=1e30, rtol=1e30, ulp=2**40))
    assert found.holds == holds
    assert found.tolerance_used == (0 if holds else math.inf)
    assert not verdict([1.0, observed], [expected, 1.0], declared).holds


@pytest.mark.parametrize(("observed", "holds"), [(None, True), ("NaN", False), (0.0, False), ([], False)])
def test_null_stands_for_what_is_no_number_where_declared(observed, holds):
    assert verdict(observed, None, output(nonfinite="null")).holds == holds


@pytest.mark.parametrize("value", [None, "NaN", "Infinity"])
def test_nonfinite_values_that_are_not_declared_are_refused(value):
    with pytest.raises(WireError, match="instead of a number"):
        leaves(value, output())


# --- units in the last place


@pytest.mark.parametrize(
    ("dtype", "observed", "used"),
    [
        ("float32", 1 + 2.0**-23, 0.5),
        ("float32", 1 + 2.0**-22, 1.0),
        ("float32", 1 + 3 * 2.0**-23, 1.5),
        ("float16", 1 + 2.0**-10, 0.5),
        ("bfloat16", 1 + 2.0**-6, 1.0),
        ("float64", 1 + 2.0**-51, 1.0),
    ],
)
def test_ulps_are_those_of_the_declared_dtype(dtype, observed, used):
    found = verdict(observed, 1.0, output(dtype), Tolerance(ulp=2))
    assert found.tolerance_used == used
    assert found.holds == (used <= 1)


def test_a_value_passes_by_ulps_or_by_the_other_tolerances():
    large = verdict(1e30 * (1 + 2.0**-23), 1e30, output(), Tolerance(atol=1e-6, ulp=4))
    small = verdict(1e-7, 2e-7, output(), Tolerance(atol=1e-6, ulp=4))
    neither = verdict(1.1, 1.0, output(), Tolerance(atol=1e-6, ulp=4))
    assert (large.holds, small.holds, neither.holds) == (True, True, False)
    assert small.tolerance_used == pytest.approx(0.1)


def test_what_no_tolerance_mends_goes_by_the_error():
    vector = output(shape=(3,))
    found = compare([1.5, 9.0, 1.25], [1.0, 1.0, 1.0], vector, EXACT)
    assert (found.pointer, found.error) == ("/1", 8.0)
    beside = compare([1.0, float("inf"), 1.0], [1.0, 1.0, 1.0], vector, EXACT)
    assert beside.is_worse_than(found)
    assert not found.is_worse_than(beside)
    assert found.is_worse_than(compare([99.0, 1.0, 1.0], [1.0, 1.0, 1.0], vector, Tolerance(atol=1)))


def test_labels_and_shapes_are_infinitely_off():
    assert compare("a", "b", output("string"), EXACT).error == math.inf
    assert compare([1.0], [1.0, 2.0], output(shape=(2,)), EXACT).error == math.inf
