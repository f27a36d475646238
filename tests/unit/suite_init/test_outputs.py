"""Which members of answers become outputs, and with which tolerance."""

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.wire import leaves
from harness.golden.asking import outputs_of
from harness.pointer import resolve
from harness.suite_init.asking import Kept
from harness.suite_init.outputs import MOST_OUTPUTS, doubt, find_outputs

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def same_twice(*answers):
    return [Kept(index, answer, answer) for index, answer in enumerate(answers)]


def test_a_label_and_its_scores():
    found = find_outputs(
        same_twice(
            {"result": {"label": "a", "scores": {"a": 0.75, "b": 0.25}}, "request_id": "x1"},
            {"result": {"label": "b", "scores": {"a": 0, "b": 1}}, "request_id": "x2"},
        )
    )
    label, scores = found.settings["label"], found.settings["scores"]
    assert (label.pointer, label.dtype) == ("/result/label", "string")
    assert (scores.pointer, scores.dtype, scores.keys) == ("/result/scores", "float64", ("a", "b"))
    assert found.left_out == {"/request_id": "an id, a version or a time, by its name"}
    assert (found.tolerances["scores"].atol, found.tolerances["scores"].rtol) == (1e-6, 1e-5)


@settings(max_examples=30)
@given(st.lists(st.floats(1e-30, 1e6).filter(lambda y: not y.is_integer()), min_size=1, max_size=4))
def test_equal_fractions_may_be_off_by_the_rounding_of_another_machine(values):
    found = find_outputs(same_twice(*({"y": value} for value in values)))
    tolerance = found.tolerances["y"]
    for value in values:
        elsewhere = float(np.float32(value)) * (1 + 2**-22)
        assert abs(elsewhere - value) <= tolerance.atol + tolerance.rtol * abs(value)
    assert tolerance.atol <= 1.1e-6 * max(map(abs, values))


@pytest.mark.parametrize("answers", [[{"y": 3.0}, {"y": 4}], [{"y": 1, "z": "a"}], [{"y": 0.0}]])
def test_equal_whole_numbers_are_compared_exactly(answers):
    assert find_outputs(same_twice(*answers)).tolerances == {}


@pytest.mark.parametrize(
    ("answers", "dtype", "shape"),
    [
        ([0.5, 1], "float64", ()),
        ([1, 2], "int64", ()),
        ([2**70, 1], "float64", ()),
        ([True, False], "bool", ()),
        ([[[0.5, 1, 2]], [[1, 1, 1]]], "float64", (1, 3)),
        ([["a", "b"], ["c", "d"]], "string", (2,)),
    ],
)
def test_a_whole_answer_of_one_kind(answers, dtype, shape):
    (output,) = find_outputs(same_twice(*answers)).settings.values()
    assert (output.pointer, output.dtype, output.shape) == ("", dtype, shape)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([{"x": [1]}, {"x": [1, 2]}], "its length is not the same in every answer"),
        ([{"x": []}], "is empty"),
        ([{"x": {}}], "is empty"),
        ([{"x": None}, {"x": 1}], "is null or of another type now and then"),
        ([{"x": "1"}, {"x": 1}], "is null or of another type now and then"),
        ([{"x": 1}, {}], "is not in every answer"),
    ],
)
def test_what_cannot_be_declared_is_left_out_with_the_reason(answers, why):
    found = find_outputs(same_twice(*answers))
    assert found.settings == {}
    assert found.left_out == {"/x": why}


def test_items_of_an_array_of_objects_are_told_apart():
    found = find_outputs(same_twice({"data": [{"y": 1.5}, {"y": 2.5}]}))
    assert {name: output.pointer for name, output in found.settings.items()} == {
        "output_data_0_y": "/data/0/y",
        "output_data_1_y": "/data/1/y",
    }


def test_a_spread_becomes_a_tolerance_and_what_is_random_is_left_out():
    found = find_outputs(
        [
            Kept(
                1, {"y": 1.0, "z": 0.3, "mode": "a", "n": 1}, {"y": 1.0 + 1e-7, "z": 0.9, "mode": "b", "n": 2}
            ),
            Kept(2, {"y": 2.0, "z": 0.1, "mode": "a", "n": 1}, {"y": 2.0, "z": 0.2, "mode": "a", "n": 1}),
        ]
    )
    assert list(found.settings) == ["y"]
    tolerance = found.tolerances["y"]
    assert tolerance.atol + tolerance.rtol * 1.0 >= 4e-7 * 0.999
    assert tolerance.atol + tolerance.rtol < 2e-5
    assert found.left_out == {
        "/z": "differs by more than 1 % when the same is asked twice",
        "/mode": "differs when the same is asked twice",
        "/n": "differs when the same is asked twice",
    }


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([{"error": "model not loaded"}] * 2, "every answer was the same"),
        ([{"y": 1.0, "label": "a"}, {"y": 1, "label": "a"}], "every answer was the same"),
        ([{"error": "no 1"}, {"error": "no 2"}], "by its name"),
        ([{"result": {"Detail": "a"}, "y": 1.5}, {"result": {"Detail": "a"}, "y": 2.5}], "by its name"),
        ([{"message": "no"}], "by its name"),
        ([{"y": 1.5, "label": "a"}, {"y": 2.5, "label": "a"}], ""),
        ([{"error_rate": 0.5}], ""),
    ],
)
def test_answers_that_look_like_no_result_are_told(answers, said):
    kept = same_twice(*answers)
    told = doubt(find_outputs(kept), kept)
    assert said in told
    assert bool(said) is bool(told)


def test_a_spread_beyond_rounding_is_the_tolerance():
    found = find_outputs([Kept(1, {"y": 1.5}, {"y": 1.501}), Kept(2, {"y": 2.5}, {"y": 2.5})])
    tolerance = found.tolerances["y"]
    assert 4e-3 * 0.999 <= tolerance.atol + tolerance.rtol * 1.5 < 9e-3
    assert "4 times the largest difference of two answers to 2 cases" in tolerance.source


def test_names_of_findings_are_not_taken():
    found = find_outputs(same_twice({"answers": 1, "items": "a", "a b/c": 2, "a b~c": 3}))
    assert set(found.settings) == {"output_answers", "output_items", "a_b_1c", "a_b_0c"}


def test_so_many_and_no_more():
    found = find_outputs(
        same_twice({f"{letter}{n}": n for letter in string.ascii_lowercase for n in range(9)})
    )
    assert len(found.settings) == MOST_OUTPUTS


@given(st.lists(JSON, min_size=1, max_size=3))
def test_whatever_is_found_can_be_declared_and_recorded(answers):
    found = find_outputs(same_twice(*answers))
    if not found.settings:
        return
    declared = GoldenSettings.model_validate(
        {"path": "g", "single": {"path": "/p", "body": "${input}"}, "outputs": found.settings}
    )
    for answer in answers:
        recorded = outputs_of("case", answer, declared.outputs)
        for name, output in declared.outputs.items():
            assert recorded[name] == resolve(answer, output.pointer)
            assert leaves(recorded[name], output)
