import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.fuzz.raw_answer import body_of, is_whole, says_json, status_of

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\nX: y\r\n\r\n"
NO = b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", True),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", False),
        (b"garbage\r\n\r\n", False),
        (b"", False),
    ],
)
def test_when_an_answer_is_whole(content, whole):
    assert is_whole(content) == whole


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content):
    assert is_whole(content) in {True, False}
    assert len(body_of(content)) <= len(content)


@pytest.mark.parametrize(
    ("content", "status", "whole"),
    [
        (OK + OK, 200, True),
        (CHUNKED + OK, 200, True),
        (OK + b"HTTP/1.1 100 Continue\r\n\r\n" + NO, 400, True),
        (NO + OK, 400, True),
        (OK, None, False),
        (OK + OK[:-1], 200, False),
        (OK[:-1], None, False),
        (b"", None, False),
    ],
)
def test_two_answers(content, status, whole):
    assert (status_of(content, 2), is_whole(content, 2)) == (status, whole)


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (OK, b"ab"),
        (OK + OK, b"ab"),
        (CHUNKED, b"ab"),
        (CHUNKED[:-11], b"ab"),
        (b"HTTP/1.1 400 No\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 400 No\r\n", b""),
        (b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\na", b""),
    ],
)
def test_the_body_of_an_answer(content, body):
    assert body_of(content) == body


@given(body=st.binary(max_size=100), sizes=st.lists(st.integers(1, 40), max_size=10))
def test_chunks_are_put_together(body, sizes):
    content, rest = b"HTTP/1.1 422 No\r\ntransfer-encoding: chunked\r\n\r\n", body
    for size in [*sizes, 200]:
        if rest:
            content += f"{len(rest[:size]):x};a=b\r\n".encode() + rest[:size] + b"\r\n"
            rest = rest[size:]
    assert body_of(content + b"0\r\n\r\n") == body


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        (b"Content-Type: application/json\r\n", b"{}", True),
        (b"content-type:application/problem+json; charset=utf-8\r\n", b"{}", True),
        (b"Content-Type: text/plain\r\n", b"{}", False),
        (b"Content-Type: application/jsonlines\r\n", b"{}", False),
        (b"Content-Type: application/json\r\n", b"", False),
        (b"", b"Content-Type: application/json\r\n", False),
    ],
)
def test_an_answer_says_itself_that_it_is_json(head, body, said):
    assert says_json(b"HTTP/1.1 400 No\r\n" + head + b"\r\n" + body) is said
