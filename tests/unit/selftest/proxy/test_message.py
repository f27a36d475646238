"""A message changes only where it is told to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.selftest.proxy.message import Message

HEAD = (
    b"HTTP/1.1 429 Too Many\r\ncontent-type:  application/json ; charset=utf-8\r\n"
    b"X-Folded: a\r\n  b\r\nRetry-After: 7\r\nX-Twice: 1\r\nx-twice: 2\r\nContent-Length: 2\r\n\r\n"
)
ANSWER = Message.of(HEAD, b"{}", b"{}")
REQUEST = Message.of(b"POST /a/?b=%20 HTTP/1.1\r\nHost: x\r\n\r\n")


@given(
    st.sampled_from([b"\r\n", b"\n"]), st.lists(st.sampled_from([b"A: b", b"C:d", b" folded"]), max_size=5)
)
def test_its_bytes_are_what_it_was_made_of(end, lines):
    head = end.join([b"GET / HTTP/1.1", b"Host: x", *lines, b"", b""])
    assert Message.of(head, b"body").raw == head + b"body"


def test_what_it_says():
    assert (ANSWER.status, ANSWER.media_type, ANSWER.says_json) == (429, "application/json", True)
    assert ANSWER.header("RETRY-AFTER") == "7"
    assert ANSWER.header("x-twice") == "1"
    assert ANSWER.header("x-none") == ""
    assert (REQUEST.method, REQUEST.target) == ("POST", "/a/?b=%20")


@pytest.mark.parametrize(
    ("changed", "before", "after"),
    [
        (ANSWER.with_header("Retry-After", "0"), b"Retry-After: 7", b"Retry-After: 0"),
        (ANSWER.without("retry-after"), b"Retry-After: 7\r\n", b""),
        (ANSWER.without("x-folded"), b"X-Folded: a\r\n  b\r\n", b""),
        (ANSWER.with_status(200), b"429 Too Many", b"200 OK"),
        (ANSWER.with_header("X-New", "1"), b"\r\n\r\n", b"\r\nX-New: 1\r\n\r\n"),
        (ANSWER.with_content(b"[]"), b"\r\n\r\n{}", b"\r\n\r\n[]"),
        (ANSWER.with_content(b"[1]"), b"Content-Length: 2\r\n\r\n{}", b"Content-Length: 3\r\n\r\n[1]"),
        (ANSWER.with_header("x-twice", "3"), b"X-Twice: 1\r\nx-twice: 2", b"x-twice: 3"),
    ],
)
def test_one_place_changes(changed, before, after):
    assert ANSWER.raw.count(before) == 1
    assert changed.raw == ANSWER.raw.replace(before, after)


def test_without_what_it_has_not_it_is_the_same_object():
    assert ANSWER.without("x-none") is ANSWER


def test_another_target():
    assert REQUEST.with_target("/a").raw == b"POST /a HTTP/1.1\r\nHost: x\r\n\r\n"


def test_content_in_chunks_gets_a_length():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Kept: 1\r\n\r\n"
    changed = Message.of(head, b"2\r\n{}\r\n0\r\n\r\n", b"{}").with_content(b"[]")
    assert changed.raw == b"HTTP/1.1 200 OK\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\n[]"


def test_what_is_compressed_is_not_read_as_json():
    assert not ANSWER.with_header("Content-Encoding", "gzip").says_json
