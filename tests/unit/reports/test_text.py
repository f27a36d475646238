import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Finding, Outcome
from harness.reports.text import (
    cut,
    interval,
    observed_and_limit,
    quantity,
    seconds,
    single_line,
    visible,
    without_workflow_commands,
)


@given(st.text())
def test_visible_text_is_printable_and_legal_xml(text):
    shown = visible(text)
    assert all(char.isprintable() or char in "\n\t" for char in shown)
    assert ET.fromstring(ET.tostring(_element(shown))).text == (shown or None)
    assert single_line(text).isprintable()


def _element(text):
    element = ET.Element("e")
    element.text = text
    return element


def test_visible_shows_what_it_disarms():
    assert visible("a\x1b[31m\u202eb\ud800\n") == "a\\x1b[31m\\u202eb\\ud800\n"
    assert single_line("a\nb\tµ ≤ 漢") == "a\\nb\\tµ ≤ 漢"


@pytest.mark.parametrize("text", ["::error::x", "  ::error file=a,line=1::x", "##[error]x", "a::Add-Mask::x"])
def test_workflow_commands_are_broken(text):
    broken = without_workflow_commands(text)
    assert "::error" not in broken
    assert "::Add" not in broken
    assert "##[" not in broken


@pytest.mark.parametrize("text", ["http://[::1]:80/", "std::vector", "a: b", "## title"])
def test_what_is_no_workflow_command_stays(text):
    assert without_workflow_commands(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "true"),
        (569, "569"),
        pytest.param(10**5000, "1.00000e+5000", id="huge"),
        (21.4371234, "21.4371"),
        (float("inf"), "∞"),
        (float("-inf"), "-∞"),
        (float("nan"), "not a number"),
        ("text", "text"),
    ],
)
def test_quantity(value, shown):
    assert quantity(value) == shown


def test_values_that_differ_look_different():
    finding = Finding(
        id="f", outcome=Outcome.FAIL, message="m", observed=0.10000001, limit=0.1000000, unit="ms"
    )
    assert observed_and_limit(finding) == ("0.10000001 ms", "0.1 ms")


def test_a_unit_without_a_value_is_nothing():
    assert observed_and_limit(Finding(id="f", outcome=Outcome.PASS, message="m", unit="ms")) == ("", "")


@pytest.mark.parametrize(
    ("duration_s", "shown"),
    [
        (0.041, "0.04 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 00 s"),
        (112.4, "1 min 52 s"),
        (float("nan"), "unknown"),
    ],
)
def test_seconds(duration_s, shown):
    assert seconds(duration_s) == shown


def test_cut_says_how_much_is_missing():
    assert cut("abcdef", 4) == "abcd… [2 more characters]"
    assert cut("abcd", 4) == "abcd"


@pytest.mark.parametrize(
    ("lower", "upper", "told"),
    [
        (None, None, ""),
        (0.123456, None, "at least 0.1235"),
        (None, 2.0, "at most 2"),
        (1.0, math.inf, "1 to inf"),
        (-1.0, 1234567.0, "-1 to 1.235e+06"),
    ],
)
def test_an_interval_says_which_bounds_it_has(lower, upper, told):
    assert interval(Finding(id="x", outcome=Outcome.PASS, message="", lower=lower, upper=upper)) == told
