"""A finding keeps the type of what was observed, through JSON and back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import (
    CheckError,
    ErrorKind,
    Finding,
    ModelIdentity,
    Outcome,
    Reason,
    Scope,
    TargetDescription,
)

SPECIAL = ("Infinity", "-Infinity", "NaN")
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text().filter(lambda s: s not in SPECIAL)
)


def test_half_a_surrogate_pair_is_kept_as_its_escape():
    """A candidate's answer must not keep the report on it from being written."""
    half = "a\ud800"
    models = [
        Finding(id="x.y", outcome=Outcome.FAIL, message=half, observed=half, limit=half, reproduce=half),
        CheckError(kind=ErrorKind.CANDIDATE, message=half),
        Reason(check_id="x.y", finding_id=half, message=half),
        ModelIdentity(name=half, version=half, sha256=half),
        TargetDescription(kind=Scope.URL, execution_provider=half),
    ]
    for model in models:
        written = model.model_dump_json()
        assert r"a\\ud800" in written
        assert type(model).model_validate_json(written) == model


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
