"""What a client that nobody knows may take of the service: bytes, connections and time."""

import itertools
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from reference_service.healthcheck import healthy

HEAD_TIMEOUT_S = 1.0
BODY_TIMEOUT_S = 1.0
MAX_CONNECTIONS = 20
MEGABYTE = 2**20
FLOOD_BYTES = 6 * MEGABYTE
ALLOWED_GROWTH_BYTES = 16 * MEGABYTE
LATE_S = 10  # for a busy machine; a connection that is never closed is later than that
CHUNKED = b"POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "one header": (b"GET /health HTTP/1.1\r\nHost: x\r\nX: ", b"x" * 65536),
    "many headers": (b"GET /health HTTP/1.1\r\nHost: x\r\n", b"a:\r\n" * 16384),
    "a header's name": (b"GET /health HTTP/1.1\r\n", b"x" * 65536),
    "a path": (b"GET /", b"x" * 65536),
    "empty lines": (b"", b"\r\n" * 32768),
    "one trailer": (CHUNKED + b"1\r\nx\r\n0\r\nX: ", b"x" * 65536),
    "many trailers": (CHUNKED + b"1\r\nx\r\n0\r\n", b"a:\r\n" * 16384),
    "a chunk extension": (CHUNKED + b"1;", b"x" * 65536),
    "requests without end": (b"", b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1600),
}


@pytest.fixture(scope="module")
def service(running):
    with running(
        head_timeout_s=HEAD_TIMEOUT_S, body_timeout_s=BODY_TIMEOUT_S, max_connections=MAX_CONNECTIONS
    ) as started:
        yield started


def connect(service):
    return socket.create_connection(("127.0.0.1", service.port), timeout=LATE_S)


def status_of(answer):
    return int(answer.split(b" ")[1])


def received(connection):
    """What came until the other side closed; nothing where it reset the connection."""
    answer = b""
    try:
        while chunk := connection.recv(65536):
            answer += chunk
    except ConnectionError:
        pass
    return answer


@pytest.mark.parametrize(("beginning", "more"), FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_is_cut_off_before_it_takes_memory(service, beginning, more):
    before = service.peak_bytes()
    for _ in range(4):
        with ExitStack() as stack:
            connections = [stack.enter_context(connect(service)) for _ in range(4)]
            for connection in connections:
                with pytest.raises(ConnectionError):  # closed by the other side
                    send_on(connection, beginning, more)
    assert service.peak_bytes() - before < ALLOWED_GROWTH_BYTES
    assert healthy(service.port)


def send_on(connection, beginning, more):
    connection.sendall(beginning)
    for _ in range(0, FLOOD_BYTES, len(more)):
        connection.sendall(more)


@pytest.mark.parametrize(("size", "status"), [(30_000, 200), (33_000, 431), (60_000, 431)])
def test_head_at_its_limit(service, size, status):
    with connect(service) as connection:
        value = b"x" * size
        connection.sendall(
            b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + value + b"\r\n\r\n"
        )
        assert status_of(connection.recv(65536)) == status


DRIPS = {
    "nothing": (b"", b""),
    "half a head": (b"GET /health HTTP/1.1\r\nHost: x\r\n", b""),
    "a dripping head": (b"GET /health HTTP/1.1\r\nX: ", b"x"),
    "empty lines": (b"\r\n", b"\r\n"),
    "a body after its refusal": (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "an answered request, then a dripping head": (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /", b"x"),
}


def closed_after_s(service, beginning, drop):
    """How long the service let a client go on that sends a beginning, and then drop after drop."""
    with connect(service) as connection:
        begun = time.monotonic()
        connection.sendall(beginning)
        connection.settimeout(0.1)
        for _ in itertools.count():
            assert time.monotonic() - begun < HEAD_TIMEOUT_S + 5 + LATE_S
            try:
                if not connection.recv(65536):
                    break
            except TimeoutError:
                pass
            except ConnectionError:
                break
            try:
                connection.sendall(drop)
            except ConnectionError:
                break
    return time.monotonic() - begun


def test_connections_that_lead_nowhere_are_closed(service):
    """All kinds at once: each takes seconds."""
    with ThreadPoolExecutor(len(DRIPS)) as pool:
        after_s = dict(
            zip(DRIPS, pool.map(lambda each: closed_after_s(service, *each), DRIPS.values()), strict=True)
        )
    assert min(after_s.values()) > HEAD_TIMEOUT_S / 2, after_s


def test_late_body_is_a_408_in_the_one_schema(service, key):
    with connect(service) as connection:
        connection.sendall(
            f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{".encode()
        )
        answer = received(connection)
    assert status_of(answer) == 408
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert b"x-ratelimit-remaining" in head.lower()
    assert json.loads(body)["error"]["code"] == "body_timeout"


def test_more_connections_than_allowed_are_told_to_come_back(service):
    def ask():
        return httpx.get(f"http://127.0.0.1:{service.port}/health", trust_env=False)

    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(connect(service))
        refused = ask()
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
    deadline = time.monotonic() + LATE_S
    while ask().status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_far_more_connections_than_allowed_are_closed_at_once(service):
    with ExitStack() as stack:
        opened = [stack.enter_context(connect(service)) for _ in range(2 * MAX_CONNECTIONS + 5)]
        begun = time.monotonic()
        assert all(received(connection) == b"" for connection in opened[-5:])
        assert time.monotonic() - begun < HEAD_TIMEOUT_S
    deadline = time.monotonic() + LATE_S
    while not healthy(service.port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
