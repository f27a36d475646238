"""What a fault makes of JSON, and that it makes nothing of any other."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.selftest.proxy.catalogue import built_in_faults
from harness.selftest.proxy.effects.answers import JsonAnswers
from harness.selftest.proxy.effects.table import EFFECTS, effect_of
from harness.selftest.proxy.json_text import Json
from harness.selftest.proxy.message import Message

TEXT = (
    '{"id": "r-1", "p": [0.25,  0.1234567890123456789, 1e-05], "n": 9007199254740993, '
    '"rows": [{"a": 1.0, "b": 2.5}, {"a": 3.50, "b": 4}, {"a": 5, "b": 6}], "none": null, "last": true }'
)
CHANGES = {
    "numbers_biased": [
        ("0.25,", "0.251,"),
        ("0.1234567890123456789", "0.12445678901234568"),
        ("1e-05", repr(1e-05 + 0.001)),
        ("1.0", "1.001"),
        ("2.5}", "2.501}"),
        ("3.50", "3.501"),
    ],
    "numbers_rounded": [("0.1234567890123456789", "0.1235"), ("1e-05", "0.0")],
    "numbers_through_float16": [
        ("0.1234567890123456789", "0.12347412109375"),
        ("1e-05", "1.0013580322265625e-05"),
    ],
    "array_items_swapped": [("0.25,  0.1234567890123456789", "0.1234567890123456789,  0.25")],
    "members_swapped": [('"a": 1.0, "b": 2.5', '"a": 2.5, "b": 1.0')],
    "batch_rotated": [
        (
            '{"a": 1.0, "b": 2.5}, {"a": 3.50, "b": 4}, {"a": 5, "b": 6}',
            '{"a": 5, "b": 6}, {"a": 1.0, "b": 2.5}, {"a": 3.50, "b": 4}',
        )
    ],
    "batch_cut_short": [(', {"a": 5, "b": 6}', "")],
    "null_to_zero": [('"none": null', '"none": 0')],
    "large_integers_rounded": [("9007199254740993", "9007199254740992")],
    "number_as_text": [("[0.25", '["0.25"')],
    "member_dropped": [(', "last": true', "")],
    "member_added": [("true }", 'true ,"added_by_the_proxy":true}')],
    "member_renamed": [('"id"', '"id_"')],
}


def answer(text=TEXT, status=200):
    return Message.answer(status, text.encode())


@pytest.mark.parametrize("name", CHANGES)
def test_it_changes_this_and_nothing_else(passage, name):
    expected = TEXT
    for before, after in CHANGES[name]:
        assert expected.count(before) == 1, before
        expected = expected.replace(before, after)
    through = passage(name)
    changed = through.answer(answer())
    assert changed.content.decode() == expected
    assert changed.header("content-length") == str(len(expected))
    assert through.effect.applied == 1


@pytest.mark.parametrize(
    "name", [name for name, effect in EFFECTS.items() if issubclass(effect, JsonAnswers)]
)
@pytest.mark.parametrize(
    "other",
    [
        answer(status=422),
        answer("no JSON"),
        answer('{"p": [], "rows": [{}], "text": []}').with_header("Content-Type", "text/plain"),
        answer().with_header("Content-Encoding", "gzip"),
    ],
    ids=["refused", "no-json", "text", "compressed"],
)
def test_other_answers_stay(passage, name, other):
    through = passage(name)
    assert through.answer(other) is other
    assert through.effect.applied == 0


@pytest.mark.parametrize(
    "name", [name for name, effect in EFFECTS.items() if issubclass(effect, JsonAnswers)]
)
def test_what_is_read_with_get_stays(passage, asking, name):
    assert passage(name).answer(answer(), asking(method="GET")) == answer()


def test_one_kind_of_request_is_always_the_same_kind(passage, asking):
    through = passage("one_kind_of_request_biased")
    bodies = [json.dumps({"x": x}).encode() for x in range(400)]
    biased = {body for body in bodies if through.answer(answer(), asking(body)) != answer()}
    assert 5 <= len(biased) <= 50
    assert {body for body in bodies if through.answer(answer(), asking(body)) != answer()} == biased


def test_not_a_number_comes_once_in_a_hundred(passage):
    through = passage("not_a_number_answered")
    contents = [through.answer(answer()).content.decode() for _ in range(300)]
    assert contents.count(TEXT) == 297
    assert set(contents) == {TEXT, TEXT.replace("0.25", "NaN")}


def test_labels_are_what_is_seen_again(passage):
    through = passage("label_replaced")
    texts = [f'{{"id": "{number}", "label": "{"ab"[number % 2]}"}}' for number in range(200)]
    changed = [(text, through.answer(answer(text)).content.decode()) for text in texts]
    wrong = [(before, after) for before, after in changed if before != after]
    assert 9 <= len(wrong) <= 10
    swapped = str.maketrans({"a": "b", "b": "a"})
    for before, after in wrong:
        name, label = before.rsplit('"label"', 1)
        assert after == f'{name}"label"{label.translate(swapped)}'


def test_a_service_of_one_label_has_no_other(passage):
    through = passage("label_replaced")
    assert all(through.answer(answer('{"label": "a"}')).content == b'{"label": "a"}' for _ in range(100))


@pytest.mark.parametrize("name", ["numbers_biased", "numbers_rounded", "numbers_through_float16"])
@given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_stay_numbers(name, numbers):
    effect = effect_of(next(fault for fault in built_in_faults() if fault.name == name))
    document = Json.parse(json.dumps(numbers).encode())
    after = json.loads(document.edited(effect.edits(None, document)))
    assert len(after) == len(numbers)
    assert all(math.isfinite(number) for number in after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "null_taken_for_zero",
            '{"x": [null, NaN, -Infinity, 1.50], "y": "null"}',
            '{"x": [0, 0, 0, 1.50], "y": "null"}',
        ),
        (
            "text_taken_for_number",
            '{"1": "2.50", "x": "-3", "y": "1a", "z": "01"}',
            '{"1": 2.50, "x": -3, "y": "1a", "z": "01"}',
        ),
        (
            "large_integers_rounded",
            '{"x": [9007199254740993, 9007199254740993.0, 7]}',
            '{"x": [9007199254740992, 9007199254740993.0, 7]}',
        ),
    ],
)
def test_it_changes_a_request_only_so(passage, asking, name, before, after):
    exchange = passage(name).ask(asking(before.encode()))
    assert exchange.request.raw == asking(after.encode()).raw


@pytest.mark.parametrize("name", ["null_taken_for_zero", "text_taken_for_number", "large_integers_rounded"])
@pytest.mark.parametrize("content", [b"", b"[1", b'{"x": 1}', b'{"x": "\xff"}'])
def test_other_requests_stay(passage, asking, name, content):
    message = asking(content)
    assert passage(name).ask(message).request is message
