"""A log is searched as a whole, and whether it is whole is known."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.targets import log
from harness.targets.log import most_stored_bytes, search

SECRET = "key-of-this-run"


def holds(text):
    return SECRET in text


def chatter(lines):
    return (b"%06d an ordinary line of a log that says nothing\n" % number for number in range(lines))


def test_what_was_written_first_is_found_however_much_follows():
    pieces = [SECRET.encode() + b"\n", *chatter(200_000)]
    assert sum(map(len, pieces)) > log.PART_BYTES
    assert search(pieces, holds).found
    assert not search(pieces[1:], holds).found


@settings(max_examples=15, deadline=None)
@given(st.integers(-20, 20), st.integers(1, 64))
def test_what_lies_across_two_parts_is_found(offset, size):
    before = b"." * (log.PART_BYTES - 10 + offset)
    tail = SECRET.encode() + b"\n"
    pieces = [before, *(tail[at : at + size] for at in range(0, len(tail), size))]
    assert search(pieces, holds).found


def test_no_part_is_longer_than_one_and_a_piece():
    seen = []
    search((b"x" * 65_536 for _ in range(400)), lambda text: bool(seen.append(len(text))))
    assert len(seen) > 2
    assert max(seen) < log.PART_BYTES + 65_536 + 1


def test_a_log_is_whole_while_the_engine_has_dropped_nothing():
    assert search(chatter(100), holds, kept_bytes=1_000_000).whole
    assert not search(chatter(100_000), holds, kept_bytes=1_000_000).whole
    assert search(chatter(100_000), holds).whole


@given(st.text() | st.text(alphabet='<>&\x00\x1b"\\é\u2028', max_size=40))
def test_never_less_than_is_stored(text):
    line = text.replace("\n", "") + "\n"
    entry = {"log": line, "stream": "stdout", "time": "2026-11-22T06:39:50.123456789Z"}
    stored = json.dumps(entry, separators=(",", ":")) + "\n"
    for each in "<>&":
        stored = stored.replace(each, f"\\u{ord(each):04x}")
    assert most_stored_bytes(line.encode()) >= len(stored)
