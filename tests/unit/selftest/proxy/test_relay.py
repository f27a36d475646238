"""The way through the proxy: not a byte is added, lost or changed, whatever is sent in whatever pieces."""

import asyncio
import contextlib
import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.selftest.proxy.catalogue import pass_through
from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.exchange import Delivery, Exchange, Part, Service
from harness.selftest.proxy.message import Message
from harness.selftest.proxy.relay import Relay
from harness.selftest.proxy.stream import Stream

LOOPBACK = "127.0.0.1"
TIMEOUT_S = 20
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;e=1\r\nabc\r\n0\r\nT: 1\r\n\r\n"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Odd:   \xe4 \r\n\r\nok"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\n"
NONE = b"HTTP/1.1 204 No Content\r\n\r\n"
OPEN = b"HTTP/1.1 200 OK\r\n\r\nto the end"


class Holding(Effect):
    """Sees everything as a whole, and changes nothing."""

    holds = frozenset({Part.HEAD, Part.REQUEST, Part.ANSWER})


class HoldingHeads(Effect):
    """Sees heads and answers."""

    holds = frozenset({Part.HEAD, Part.ANSWER})


EFFECTS = [Effect, Holding, HoldingHeads]


async def relayed(effect, serve, ask, *, opaque=False):
    """What ``ask`` gives, as a client of the proxy before ``serve``."""

    async def accept(reader, writer):
        upstream = Stream(*await asyncio.open_connection(LOOPBACK, port))
        service = Service(host=LOOPBACK, port=port, opaque=opaque)
        await Relay(effect, service, Stream(reader, writer), upstream).run()

    async with asyncio.timeout(TIMEOUT_S):
        server = await asyncio.start_server(serve, LOOPBACK, 0)
        port = server.sockets[0].getsockname()[1]
        proxy = await asyncio.start_server(accept, LOOPBACK, 0)
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.sockets[0].getsockname()[1])
        found = await ask(reader, writer)
        writer.close()
        proxy.close()
        server.close()
        return found


async def through(effect, sent, answers, **how):
    """What a service got of what a client sent in pieces, and what the client got of its answers."""
    got = bytearray()

    async def serve(reader, writer):
        while piece := await reader.read(1000):
            got.extend(piece)
        for piece in answers:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    async def ask(reader, writer):
        for piece in sent:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
        return b""

    received = await relayed(effect, serve, ask, **how)
    return bytes(got), received


def in_pieces(data, sizes):
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


SIZES = st.lists(st.integers(1, 30), max_size=12)
REQUESTS = st.lists(st.sampled_from([GET, POST, CHUNKED]), min_size=1, max_size=4)
ANSWERS = st.lists(st.sampled_from([OK, CHUNKS, NONE]), max_size=5)


@pytest.mark.parametrize("effect", EFFECTS)
@settings(max_examples=20)
@given(requests=REQUESTS, answers=ANSWERS, last=st.sampled_from([b"", OPEN]), sizes=SIZES)
def test_what_is_well_formed_arrives_byte_by_byte(effect, requests, answers, last, sizes):
    sent, answered = b"".join(requests), b"".join(answers) + last
    got, received = asyncio.run(
        through(effect(pass_through()), in_pieces(sent, sizes), in_pieces(answered, sizes))
    )
    assert got == sent
    assert received == answered


@pytest.mark.parametrize("effect", EFFECTS)
@settings(max_examples=20)
@given(
    requests=REQUESTS,
    garbage=st.binary(max_size=60),
    answers=ANSWERS,
    more=st.binary(max_size=60),
    sizes=SIZES,
)
def test_and_so_does_what_is_not(*, effect, requests, garbage, answers, more, sizes):
    sent, answered = b"".join(requests) + garbage, b"".join(answers) + more
    got, received = asyncio.run(
        through(effect(pass_through()), in_pieces(sent, sizes), in_pieces(answered, sizes))
    )
    assert got == sent
    assert received == answered


@pytest.mark.parametrize("effect", EFFECTS)
@settings(max_examples=20)
@given(
    requests=REQUESTS, answers=ANSWERS, less=st.tuples(st.integers(1, 20), st.integers(1, 20)), sizes=SIZES
)
def test_and_what_breaks_off(effect, requests, answers, less, sizes):
    sent, answered = b"".join(requests)[: -less[0]], b"".join(answers)[: -less[1]]
    got, received = asyncio.run(
        through(effect(pass_through()), in_pieces(sent, sizes), in_pieces(answered, sizes))
    )
    assert got == sent
    assert received == answered


@pytest.mark.parametrize("effect", EFFECTS)
def test_tls_is_carried_as_it_is(effect):
    hello = bytes(range(256))
    assert asyncio.run(through(effect(pass_through()), [hello], [hello], opaque=True)) == (hello, hello)


class Marked(Effect):
    """Puts a number on every request and every answer."""

    holds = frozenset({Part.REQUEST, Part.ANSWER})

    def __init__(self, fault):
        super().__init__(fault)
        self.begun, self.ended = [], []

    async def asked(self, exchange):
        self.begun.append(exchange)
        exchange.request = exchange.request.with_header("X-Mark", str(len(self.begun)))

    async def answered(self, exchange, answer):
        return answer.with_header("X-Mark", str(self.begun.index(exchange) + 1))

    def over(self, exchange):
        self.ended.append(exchange)


def test_pipelined_requests_get_their_own_answers():
    effect = Marked(pass_through())
    got, received = asyncio.run(through(effect, [GET + CHUNKED + GET], [OK + NONE + OK]))
    assert [line for line in got.split(b"\r\n") if line.startswith(b"X-Mark")] == [
        b"X-Mark: 1",
        b"X-Mark: 2",
        b"X-Mark: 3",
    ]
    assert received.count(b"HTTP/1.1") == 3
    assert [line for line in received.split(b"\r\n") if line.startswith(b"X-Mark")] == [
        b"X-Mark: 1",
        b"X-Mark: 2",
        b"X-Mark: 3",
    ]
    assert effect.ended == effect.begun


def test_every_exchange_is_over_once_though_no_answer_comes():
    effect = Marked(pass_through())
    asyncio.run(through(effect, [GET + POST], [OK]))
    assert sorted(map(id, effect.ended)) == sorted(map(id, effect.begun))


def test_who_waits_for_100_continue_is_not_held():
    head = POST.replace(b"\r\n\r\nabc", b"\r\nExpect: 100-continue\r\n\r\n")

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if await reader.readexactly(3) == b"abc":
            writer.write(OK)
        writer.close()

    async def ask(reader, writer):
        writer.write(head)
        interim = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"abc")
        return interim, await reader.read()

    received = asyncio.run(relayed(Holding(pass_through()), serve, ask))
    assert received == (b"HTTP/1.1 100 Continue\r\n\r\n", OK)


class Answering(Effect):
    """Answers what is asked of /p itself."""

    holds = frozenset({Part.REQUEST})

    async def asked(self, exchange):
        if exchange.request.target == "/p":
            exchange.answer = Message.answer(200, b"own")


def test_an_answer_of_the_effects_own_waits_for_those_before_it():
    asked = []

    async def serve(reader, writer):
        for _ in range(2):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            await asyncio.sleep(0.05)
            writer.write(OK)

    async def ask(reader, writer):
        writer.write(GET + POST + GET)
        return [await reader.readuntil(end) for end in (b"ok", b"own", b"ok")]

    first, own, last = asyncio.run(relayed(Answering(pass_through()), serve, ask))
    assert (first, last) == (OK, OK)
    assert own.startswith(b"HTTP/1.1 200 OK")
    assert asked == [GET, GET]


def test_a_client_that_wants_no_other_answer_gets_no_other_connection():
    closing = POST.replace(b"Host: x", b"Host: x\r\nConnection: close")

    async def serve(reader, _writer):
        await reader.read()

    async def ask(reader, writer):
        writer.write(closing)
        return await reader.read()

    received = asyncio.run(relayed(Answering(pass_through()), serve, ask))
    assert received.endswith(b"own")


class Waiting(Effect):
    """Lets the second request wait until nobody expects an answer to the first any more."""

    holds = frozenset({Part.REQUEST})

    def __init__(self, fault):
        super().__init__(fault)
        self.forgotten = asyncio.Event()
        self.seen = []

    async def asked(self, exchange):
        if exchange.request.method == "POST":
            await self.forgotten.wait()
        self.seen.append(("asked", exchange.request.method))

    def over(self, exchange):
        self.seen.append(("over", exchange.request.method))
        self.forgotten.set()


def test_what_is_asked_after_it_was_forgotten_is_over():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"no HTTP\r\n\r\n")
        await reader.read()
        writer.close()

    async def ask(reader, writer):
        writer.write(GET + POST)
        writer.write_eof()
        return await reader.read()

    effect = Waiting(pass_through())
    assert asyncio.run(relayed(effect, serve, ask)) == b"no HTTP\r\n\r\n"
    assert effect.seen.index(("asked", "POST")) < len(effect.seen) - 1
    assert effect.seen[-1] == ("over", "POST")


def test_what_came_of_an_answer_before_a_reset_goes_on():
    async def serve(reader, writer):
        await reader.readexactly(3)
        writer.write(OK[:-1])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()

    async def ask(reader, writer):
        writer.write(GET)
        return await reader.readexactly(len(OK) - 1)

    assert asyncio.run(relayed(Holding(pass_through()), serve, ask)) == OK[:-1]


class Delivering(Effect):
    """Delivers in one way."""

    holds = frozenset({Part.ANSWER})
    delivery = Delivery.WHOLE

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        exchange.delivery = self.delivery
        return answer


@pytest.mark.parametrize(
    ("delivery", "received"),
    [
        (Delivery.WHOLE, OK + OK),
        (Delivery.BYTE_BY_BYTE, OK + OK),
        (Delivery.THEN_CLOSED, OK),
        (Delivery.CUT, OK[:-2]),
        (Delivery.DROPPED, b""),
    ],
)
def test_deliveries(delivery, received):
    effect = Delivering(pass_through())
    effect.delivery = delivery
    _, got = asyncio.run(through(effect, [GET, GET], [OK, OK]))
    assert got == received
