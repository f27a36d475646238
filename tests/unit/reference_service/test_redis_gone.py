"""What holds while Redis fails: a stand-in for it, a port nobody listens on, a server that is mute."""

import asyncio
import contextlib
import socket
import socketserver
import threading
import time

import pytest

from reference_service.access.guarded_windows import PAUSE_S, GuardedWindows
from reference_service.access.redis_windows import RedisWindows
from reference_service.access.windows import Charge, LocalWindows, WindowsUnavailableError

ONE = [Charge("key", "a", 3, 60, 1)]
TIMEOUT_S = 0.5
MARGIN_S = 1.0
STALL_S = 1.5


class Shared(LocalWindows):
    """Shared windows that fail when told to."""

    def __init__(self):
        super().__init__()
        self.works = True
        self.asked = 0

    async def charge(self, charges):
        self.asked += 1
        if not self.works:
            raise WindowsUnavailableError("gone")
        return await super().charge(charges)


class Guarded:
    """Guarded windows under test, what they are given, and what came of asking."""

    def __init__(self, *, local):
        self.now, self.shared, self.failures = 0.0, Shared(), 0
        self.windows = GuardedWindows(
            self.shared,
            local=LocalWindows() if local else None,
            on_failure=self.count,
            clock=lambda: self.now,
        )

    def count(self):
        self.failures += 1

    def used(self):
        try:
            return asyncio.run(self.windows.charge(ONE))[0].used
        except WindowsUnavailableError:
            return None


def test_without_redis_requests_are_refused_until_it_is_back(caplog):
    guarded = Guarded(local=False)
    assert guarded.used() == 0
    guarded.shared.works = False
    assert [guarded.used() for _ in range(3)] == [None] * 3
    guarded.now += PAUSE_S
    assert guarded.used() is None
    guarded.shared.works = True
    assert guarded.used() is None  # it is not asked again yet
    guarded.now += PAUSE_S
    assert [guarded.used(), guarded.used()] == [1, 2]
    assert guarded.failures == 2
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "limited requests are answered 503: gone" in caplog.messages[0]


def test_without_redis_this_process_counts_until_it_is_back(caplog):
    guarded = Guarded(local=True)
    assert [guarded.used(), guarded.used()] == [0, 1]
    guarded.shared.works = False
    assert [guarded.used() for _ in range(3)] == [0, 1, 2]
    guarded.shared.works = True
    guarded.now += PAUSE_S
    assert guarded.used() == 2
    assert "each process counts for itself: gone" in caplog.messages[0]


def test_while_one_request_asks_again_the_others_do_not_wait():
    async def scenario():
        asked, answer = asyncio.Event(), asyncio.Event()

        class Slow(Shared):
            async def charge(self, charges):
                if not self.works:
                    raise WindowsUnavailableError("gone")
                asked.set()
                await answer.wait()
                return await super().charge(charges)

        guarded = Guarded(local=False)
        guarded.windows._shared = shared = Slow()
        shared.works = False
        with pytest.raises(WindowsUnavailableError):
            await guarded.windows.charge(ONE)
        guarded.now += PAUSE_S
        shared.works = True
        probe = asyncio.create_task(guarded.windows.charge(ONE))
        await asked.wait()
        async with asyncio.timeout(MARGIN_S):
            with pytest.raises(WindowsUnavailableError):
                await guarded.windows.charge(ONE)
        answer.set()
        return await probe

    assert asyncio.run(scenario())[0].used == 0


def charge_once(url):
    async def charge():
        windows = RedisWindows(url, TIMEOUT_S)
        try:
            await windows.charge(ONE)
        finally:
            await windows.close()

    started = time.monotonic()
    with pytest.raises(WindowsUnavailableError):
        asyncio.run(charge())
    return time.monotonic() - started


def test_nobody_listening_is_an_outage_at_once():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert charge_once(f"redis://127.0.0.1:{port}") < TIMEOUT_S + MARGIN_S


def test_a_redis_that_hangs_is_an_outage_in_bounded_time():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert charge_once(f"redis://127.0.0.1:{mute.getsockname()[1]}") < TIMEOUT_S + MARGIN_S


class SlowRedis(socketserver.StreamRequestHandler):
    """Says nothing for a while, then answers each command, a charge with an empty window."""

    def handle(self):
        time.sleep(STALL_S)
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                words = [self._word() for _ in range(int(line[1:]))]
                self.wfile.write(b"*2\r\n:0\r\n:60000\r\n" if words[0] == b"EVALSHA" else b"+OK\r\n")

    def _word(self):
        length = int(self.rfile.readline()[1:])
        return self.rfile.read(length + 2)[:-2]


@pytest.fixture
def slow_redis():
    """Where it listens."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SlowRedis) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"redis://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(("changes", "status"), [({}, 503), ({"rate_limit_redis_timeout_s": 10.0}, 200)])
def test_a_slow_redis_is_waited_for_as_long_as_is_set(settings, serve, slow_redis, changes, status):
    client = serve(settings.model_copy(update={"rate_limit_redis_url": slow_redis, **changes}))
    assert client.get("/metadata", headers={"X-API-Key": "good-key"}).status_code == status


@pytest.mark.parametrize(("declared", "status"), [("refuse", 503), ("local", 200)])
def test_the_service_starts_without_redis_and_behaves_as_declared(
    settings, serve, expect_error, declared, status
):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    changes = {"rate_limit_redis_url": f"redis://127.0.0.1:{port}", "rate_limit_without_redis": declared}
    client = serve(settings.model_copy(update=changes))
    answer = client.get("/metadata", headers={"X-API-Key": "good-key"})
    assert answer.status_code == status
    if status == 503:
        assert expect_error(answer, 503)["code"] == "rate_limit_unavailable"
        assert answer.headers["retry-after"] == "1"
    assert client.get("/metadata", headers={"X-API-Key": "wrong"}).status_code == 401
    assert client.get("/ready").status_code == 200
    [line] = [
        x
        for x in client.get("/metrics").text.splitlines()
        if x.startswith("rate_limit_storage_errors_total{")
    ]
    assert float(line.split()[-1]) >= 1
