"""What ``info.version`` says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.openapi.version import Version, api_version


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ("1.2.3", 1),
        ("1", 1),
        ("v2", 2),
        ("V2.0-rc.1", 2),
        ("0.9", 0),
        ("10.0.0+build", 10),
        ("2026-11-22", 2026),
        ("next", None),
        ("1_2", None),
        ("", None),
        ("\u0661.0", None),
        ("9" * 10, None),
    ],
)
def test_the_first_number_is_the_major_version(text, major):
    assert api_version({"info": {"version": text}}) == Version(text, major)


@pytest.mark.parametrize(
    "document", [{}, {"info": None}, {"info": []}, {"info": {}}, {"info": {"version": 2}}]
)
def test_no_version(document):
    assert api_version(document) == Version(None, None)


@given(st.text())
def test_any_text_is_read(text):
    assert api_version({"info": {"version": text}}).text is not None
