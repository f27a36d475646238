"""What a connection may send beside plain requests, and how its end and the server's end meet.

The server runs in the test's own event loop, with an application that remembers what reaches it.
"""

import asyncio
import socket
import ssl
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import uvicorn
from certificates import new_authority

from reference_service.server import tls
from reference_service.server.draining import Drain, DrainingServer
from reference_service.server.listening import bind
from reference_service.server.protocol import MAX_HEAD_BYTES, PIECE_BYTES, Bounds, bounded
from reference_service.server.tls import Loop, server_context
from reference_service.settings import Settings

LINGER_S = 0.3
LATE_S = 10
BOUNDS = Bounds(max_connections=20, head_timeout_s=LATE_S, idle_timeout_s=LATE_S, request_timeout_s=LATE_S)
GET = b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = b"POST /first HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
CHUNKED = b"POST /first HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
HUGE = b"x" * (MAX_HEAD_BYTES + PIECE_BYTES + 1000)
PAUSE_S = 0.1
"""Long enough for the server to read what was sent as a piece of its own."""


class Application:
    """Answers 200 when the body is there; `/wait` is not answered before `go`."""

    def __init__(self):
        self.seen = []
        self.withdrawn = asyncio.Queue()
        self.go = asyncio.Event()

    async def __call__(self, scope, receive, send):
        path = scope["path"]
        self.seen.append(path)
        scope["withdraw"] = lambda: self.withdrawn.put_nowait(path)
        while (await receive()).get("more_body"):
            pass
        if path == "/wait":
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


class Served:
    """A server that listens, and its application."""

    def __init__(self, context):
        self.application = Application()
        drain = Drain(linger_s=LINGER_S)
        config = uvicorn.Config(
            self.application,
            http=bounded(BOUNDS, drain),
            ssl_context_factory=(lambda *_: context) if context else None,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
        )
        config.load()
        self.server = DrainingServer(config, drain)
        self.server.lifespan = config.lifespan_class(config)
        self.listener = bind("127.0.0.1", 0, shared=False)

    async def __aenter__(self):
        await self.server.startup([self.listener])
        return self

    async def __aexit__(self, *_):
        self.application.go.set()
        await self.shutdown()

    async def shutdown(self):
        await self.server.shutdown([self.listener])

    @asynccontextmanager
    async def connected(self, **options):
        reader, writer = await asyncio.open_connection(*self.listener.getsockname(), **options)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def told(self, *pieces):
        """Send pieces; return all that comes until the other side closes."""
        async with self.connected() as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(PAUSE_S)
            async with asyncio.timeout(LATE_S):
                return await reader.read()


def run(check, context=None):
    async def main():
        async with Served(context) as served:
            await check(served)

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(main())


@pytest.mark.parametrize("framing", [b"Content-Length: 40\r\n", b"Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("pieces", ["one", "two"])
def test_a_body_after_an_upgrade_is_refused_and_never_run_as_a_request(framing, pieces):
    head, body = UPGRADE + framing + b"\r\n", GET % b"smuggled"

    async def check(served):
        answer = await served.told(*([head + body] if pieces == "one" else [head, body]))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert served.application.seen == []

    run(check)


def test_an_upgrade_without_a_body_is_answered_as_a_request_and_ends_the_connection():
    async def check(served):
        answer = await served.told(UPGRADE + b"\r\n", GET % b"second")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert b"connection: close" in answer
        assert served.application.seen == ["/first"]

    run(check)


REFUSALS = {
    "a head without end": (b"GET /" + HUGE, 431),
    "no HTTP at all": (b"\x01\x02\r\n\r\n", 400),
    "a trailer without end": (CHUNKED + b"X: " + HUGE, 431),
    "no chunk": (CHUNKED.replace(b"0\r\n", b"no\r\n"), 400),
}


@pytest.mark.parametrize(("sent", "status"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_never_the_answer_to_an_earlier_request(sent, status):
    async def check(served):
        first = await served.told(sent)
        assert first.startswith(b"HTTP/1.1 %d " % status)
        assert await served.told(GET % b"wait", sent) == b""
        served.application.go.set()
        after = await served.told(GET % b"wait", sent)
        assert after.startswith(b"HTTP/1.1 200 ")
        assert after.count(b"HTTP/1.1 %d " % status) == 1

    run(check)


@pytest.mark.parametrize("pipelined", [b"", GET % b"later"], ids=["alone", "with another behind it"])
def test_a_request_whose_client_is_gone_is_withdrawn(pipelined):
    async def check(served):
        async with served.connected() as (_, writer):
            writer.write(GET % b"wait" + pipelined)
            await asyncio.sleep(PAUSE_S)
            assert served.application.withdrawn.empty()
        async with asyncio.timeout(LATE_S):
            assert await served.application.withdrawn.get() == "/wait"
        served.application.go.set()
        await asyncio.sleep(PAUSE_S)
        assert served.application.seen == ["/wait"]

    run(check)


@pytest.fixture
def over_tls(tmp_path):
    """The server's context and the client's."""
    authority = new_authority(tmp_path, "authority")
    issued = authority.issue("server")
    settings = Settings(tls_cert_file=issued.cert_file, tls_key_file=issued.key_file)
    return server_context(settings), ssl.create_default_context(cafile=authority.file)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01"], ids=["nothing", "text", "half"]
)
def test_a_handshake_that_fails_while_the_server_ends_costs_nobody_an_answer(over_tls, sent):
    context, trusting = over_tls

    async def end_with_one_waiting(served):
        with socket.create_connection(served.listener.getsockname()) as waiting:
            waiting.sendall(sent)
            await served.shutdown()  # nothing was awaited since the connection came: it is not yet accepted

    async def check(served):
        async with served.connected(ssl=trusting, server_hostname="localhost") as (reader, writer):
            writer.write(GET % b"wait")
            await asyncio.sleep(PAUSE_S)
            begun = time.monotonic()
            ending = asyncio.create_task(end_with_one_waiting(served))
            await asyncio.sleep(PAUSE_S)
            served.application.go.set()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await ending
            assert time.monotonic() - begun < LINGER_S + 2

    run(check, context)


def test_who_never_shakes_hands_takes_no_place_of_others_and_is_cut_off(over_tls, monkeypatch):
    monkeypatch.setattr(tls, "HANDSHAKE_TIMEOUT_S", 1.5)
    context, trusting = over_tls

    async def check(served):
        begun = time.monotonic()
        async with AsyncExitStack() as stack:
            silent = [await stack.enter_async_context(served.connected()) for _ in range(60)]
            async with served.connected(ssl=trusting, server_hostname="localhost") as (reader, writer):
                writer.write(GET % b"first")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert not any(reader.at_eof() for reader, _ in silent)
            async with asyncio.timeout(LATE_S):
                for reader, _ in silent:
                    with suppress(ConnectionError):
                        assert await reader.read() == b""
        assert time.monotonic() - begun > 1

    run(check, context)
