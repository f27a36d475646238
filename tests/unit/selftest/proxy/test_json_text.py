"""JSON is changed where it is told to, and every other character stays as it was written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.selftest.proxy.json_text import Json, Kind
from harness.selftest.proxy.message import Message

NUMBERS = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.1, 1e-5, 2**60 + 1])
)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
WRITTEN = st.builds(
    lambda document, indent, ascii_only: json.dumps(
        document, indent=indent, ensure_ascii=ascii_only
    ).encode(),
    DOCUMENTS,
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
)


@given(WRITTEN)
def test_without_an_edit_it_is_the_same(text):
    document = Json.parse(text)
    assert document is not None
    assert document.edited([]) == text


@given(WRITTEN)
def test_every_value_is_found_where_it_stands(text):
    document = Json.parse(text)
    kinds = {dict: Kind.OBJECT, list: Kind.ARRAY, str: Kind.STRING, int: Kind.NUMBER, float: Kind.NUMBER}

    def hold(value, expected):
        assert json.loads(document.source(value)) == expected
        assert value.kind is kinds.get(type(expected), Kind.LITERAL)
        for item, inner in zip(value.items, expected if isinstance(expected, list) else (), strict=True):
            hold(item, inner)
        members = expected.items() if isinstance(expected, dict) else ()
        for member, (name, inner) in zip(value.members, members, strict=True):
            assert member.name == name
            assert json.loads(document.text[member.start : member.end]) == name
            hold(member.value, inner)

    hold(document.root, json.loads(text))


@given(WRITTEN)
def test_an_edit_changes_one_value_and_no_other_character(text):
    document = Json.parse(text)
    for value in document.root.walk():
        before, after = document.text[: value.start], document.text[value.end :]
        assert document.edited([(value.start, value.end, "7")]) == f"{before}7{after}".encode()


def test_numbers_are_told_by_how_they_are_written():
    document = Json.parse(b'{"a": [1, -0, 1.0, 1e2, 1E-7, 12345678901234567890], "1.5": "2.5"}')
    assert [document.source(each) for each in document.fractions()] == ["1.0", "1e2", "1E-7"]
    assert [document.source(each) for each in document.integers()] == ["1", "-0", "12345678901234567890"]


def test_what_many_services_write_is_read():
    document = Json.parse(b"[NaN, -Infinity, Infinity, null]")
    assert [document.source(each) for each in document.of_kind(Kind.LITERAL)] == [
        "NaN",
        "-Infinity",
        "Infinity",
        "null",
    ]


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[1,]", b"01", b'"\xff"', b"\xef\xbb\xbf{}", b"[" * 100_000 + b"]" * 100_000, b"{} {}"],
)
def test_what_is_no_json_is_left_alone(text):
    assert Json.parse(text) is None


def test_only_what_says_that_it_is_json_is_read():
    answer = Message.answer(200, b"{}")
    assert Json.of(answer) is not None
    assert Json.of(answer.with_header("Content-Type", "application/problem+json")) is not None
    assert Json.of(answer.with_header("Content-Type", "text/plain")) is None
