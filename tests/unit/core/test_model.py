"""A finding keeps the type of what was observed, through JSON and back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Finding, Outcome

SPECIAL = ("Infinity", "-Infinity", "NaN")
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text().filter(lambda s: s not in SPECIAL)
)


def finding(observed):
    return Finding(id="x.y", outcome=Outcome.PASS, message="m", observed=observed)


@given(scalars)
def test_a_value_and_its_type_survive_json(value):
    stored = Finding.model_validate_json(finding(value).model_dump_json()).observed
    assert (type(stored), stored) == (type(value), value)


@pytest.mark.parametrize("value", [0, 1, 1.0, 2.0, True, "yes", "1.5", "true"])
def test_nothing_is_coerced(value):
    assert type(finding(value).observed) is type(value)


def test_what_is_not_finite_survives_json():
    assert Finding.model_validate_json(finding(math.inf).model_dump_json()).observed == math.inf
    assert math.isnan(Finding.model_validate_json(finding(math.nan).model_dump_json()).observed)
