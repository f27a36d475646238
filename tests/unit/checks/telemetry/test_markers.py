import json
import random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.checks.telemetry.markers import found, marked, renderings

INPUTS = st.recursive(
    st.floats(1e-3, 1e4) | st.integers(0, 255) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(INPUTS, st.integers(0, 9))
def test_a_marked_input_has_the_same_shape_and_almost_the_same_values(value, seed):
    moved = marked(value, random.Random(seed))
    assert moved == marked(value, random.Random(seed))
    assert json.dumps(moved, default=str).count(",") == json.dumps(value, default=str).count(",")
    if isinstance(value, float):
        assert moved != value
        assert moved == pytest.approx(value, rel=1e-3)


@given(st.floats(1e-3, 1e4), st.integers(0, 9))
def test_a_marked_value_is_found_however_it_is_written_with_enough_digits(value, seed):
    moved = marked(value, random.Random(seed))
    assume(len(str(np.float32(moved)).replace(".", "").lstrip("0")) >= 7)
    for text in (repr(moved), str(np.float32(moved)), repr(float(np.float32(moved)))):
        for line in (f'{{"x": {text}}}', f"x={text},", f"[{text}]", text):
            assert found(renderings({"x": moved}), line)
            assert not found(renderings({"x": moved}), line.replace(text, f"1{text}"))


@pytest.mark.parametrize(
    ("value", "line", "there"),
    [
        ([0, 0, 3, 9, 5, 1, 7, 2, 4], "pixels=0,0,3,9,5,1,7,2", True),
        ([0, 0, 3, 9, 5, 1, 7, 2, 4], "pixels [0, 0, 3, 9, 5, 1, 7, 2, 4]", True),
        ([0] * 9, "0,0,0,0,0,0,0,0,0", False),
        ({"image": "iVBORw0KGgoAAAANSUhEUg=="}, "body: iVBORw0KGgoAAAANSUhEUg==", True),
        ({"color": "green"}, "green", False),
        ({"age": 41}, "41", False),
        ({"x": 17.99}, "took 17.99 ms", False),
        ([], "", False),
    ],
)
def test_what_stands_anywhere_by_chance_is_no_rendering(value, line, there):
    assert found(renderings(value), line) is there
