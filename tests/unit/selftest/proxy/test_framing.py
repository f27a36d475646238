"""What is cut into messages is put together again to what came, however it came."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.selftest.proxy.framing import Cutter, Held, answer_parser, request_parser

TOKENS = st.text("abcXYZ-09", min_size=1, max_size=8)
VALUES = st.text("abc XYZ09;=/", max_size=12).map(str.strip)
HEADERS = st.lists(st.tuples(TOKENS.map(lambda name: f"X-{name}"), VALUES), max_size=4)
ENDS = st.sampled_from([b"\r\n", b"\n"])


@st.composite
def bodies(draw):
    """Header lines that say how long a body is, its bytes as they are sent, and its content."""
    content = draw(st.binary(max_size=60))
    if draw(st.booleans()):
        return b"Content-Length: %d" % len(content), content, content
    at = sorted(draw(st.lists(st.integers(0, len(content)), max_size=3)))
    pieces = [content[start:end] for start, end in zip([0, *at], [*at, len(content)], strict=True)]
    chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return b"Transfer-Encoding: chunked", chunks + b"0\r\nX-Trailer: 1\r\n\r\n", content


@st.composite
def messages(draw, start_line):
    """The bytes of a message, and its content."""
    length, body, content = draw(bodies())
    end = draw(ENDS)
    named = [f"{name}: {value}".encode() for name, value in draw(HEADERS)]
    return end.join([start_line, b"Host: service", *named, length, b"", b""]) + body, content


REQUESTS = messages(b"POST /a?b=c HTTP/1.1")
ANSWERS = messages(b"HTTP/1.1 200 All right")
POST_OF_TEN = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
SIZES = st.lists(st.integers(1, 40), min_size=1)


def pieces(data, sizes):
    """``data`` in pieces of these sizes, over and over."""
    at = 0
    while at < len(data):
        for size in sizes:
            if at < len(data):
                yield data[at : at + size]
            at += size


def cuts_of(cutter, data, sizes=(1 << 20,), *, ended=False):
    cuts = [cut for piece in pieces(data, sizes) for cut in cutter.cut(piece)]
    return cuts + (list(cutter.cut(b"")) if ended else [])


def contents(cuts):
    found = []
    for cut in cuts:
        if isinstance(cut.event, h11.Request | h11.Response):
            found.append(b"")
        elif isinstance(cut.event, h11.Data):
            found[-1] += bytes(cut.event.data)
    return found


def answers(count):
    methods = iter(["POST"] * count)
    return Cutter(lambda: answer_parser(next(methods, None)))


@given(st.lists(REQUESTS, max_size=4), SIZES)
def test_pipelined_requests_are_cut_between_their_bytes(sent, sizes):
    data = b"".join(raw for raw, _ in sent)
    cuts = cuts_of(Cutter(request_parser), data, sizes, ended=True)
    assert b"".join(cut.raw for cut in cuts) == data
    assert contents(cuts) == [content for _, content in sent]
    assert sum(isinstance(cut.event, h11.EndOfMessage) for cut in cuts) == len(sent)


@given(st.lists(ANSWERS, max_size=4), SIZES)
def test_answers_are_cut_between_their_bytes(sent, sizes):
    data = b"".join(raw for raw, _ in sent)
    cuts = cuts_of(answers(len(sent)), data, sizes, ended=True)
    assert b"".join(cut.raw for cut in cuts) == data
    assert contents(cuts) == [content for _, content in sent]


@given(st.lists(REQUESTS, max_size=2), st.binary(max_size=80), SIZES)
def test_nothing_is_lost_or_invented_whatever_comes(sent, garbage, sizes):
    data = b"".join(raw for raw, _ in sent) + garbage
    cuts = cuts_of(Cutter(request_parser), data, sizes, ended=True)
    assert b"".join(cut.raw for cut in cuts) == data


@given(REQUESTS, SIZES)
def test_a_held_message_is_what_came(sent, sizes):
    raw, content = sent
    head, *rest = cuts_of(Cutter(request_parser), raw, sizes)
    held = Held(head.raw)
    assert all(held.add(cut) for cut in rest)
    assert held.raw == held.message().raw == raw
    assert held.message().content == content


@pytest.mark.parametrize(
    "odd",
    [
        b"\x16\x03\x01\x00\x05",
        b"GET / HTTP/1.1\r\n\r\n",  # no Host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: rot13\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_not_understood_goes_on_at_once_and_all_after_it(odd):
    cutter = Cutter(request_parser)
    assert [(cut.raw, cut.event) for cut in cutter.cut(odd)] == [(odd, None)]
    assert cutter.opaque
    valid = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert [(cut.raw, cut.event) for cut in cutter.cut(valid)] == [(valid, None)]


def test_a_message_that_breaks_off_goes_on_when_its_sender_ends():
    cutter = Cutter(request_parser)
    half = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Le"
    assert list(cutter.cut(half)) == []
    assert [cut.raw for cut in cutter.cut(b"")] == [half]


def test_and_so_does_what_is_held_of_it():
    head, first, end = cuts_of(Cutter(request_parser), POST_OF_TEN + b"123", ended=True)
    held = Held(head.raw)
    assert held.add(first)
    assert not held.add(end)
    assert (end.raw, end.event) == (b"", None)
    assert held.raw == POST_OF_TEN + b"123"


def test_an_answer_without_a_length_ends_with_its_connection():
    cutter = answers(1)
    data = b"HTTP/1.1 200 OK\r\n\r\nto the end"
    cuts = cuts_of(cutter, data)
    assert not any(isinstance(cut.event, h11.EndOfMessage) for cut in cuts)
    (end,) = cutter.cut(b"")
    assert isinstance(end.event, h11.EndOfMessage)


def test_an_interim_answer_comes_before_the_answer():
    events = [
        type(cut.event) for cut in answers(1).cut(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Done\r\n\r\n")
    ]
    assert events == [h11.InformationalResponse, h11.Response, h11.EndOfMessage]


def test_the_answer_to_head_has_no_body():
    cutter = Cutter(lambda: answer_parser("HEAD"))
    events = [type(cut.event) for cut in cutter.cut(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")]
    assert events == [h11.Response, h11.EndOfMessage]


@pytest.mark.parametrize("method", ["CONNECT", None])
def test_an_answer_that_is_not_due_is_not_understood(method):
    cutter = Cutter(lambda: answer_parser(method))
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert [(cut.raw, cut.event) for cut in cutter.cut(data)] == [(data, None)]
