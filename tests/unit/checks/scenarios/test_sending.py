"""Requests go out as they are written, and those of a group together."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from harness.checks.scenarios import connection
from harness.checks.scenarios.sending import Sender
from harness.http_request import Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\n{}"


class Heard:
    """What a server that speaks no HTTP got on each connection, and when the last byte of it came."""

    def __init__(self, answer=OK):
        self.answer = answer
        self.requests = []
        self.ended_s = []
        self.lock = threading.Lock()

    def __call__(self, connection):
        with connection:
            content = b""
            while not content.endswith((b"\r\n\r\n", b"END")):
                content += connection.recv(65536)
            with self.lock:
                self.requests.append(content)
                self.ended_s.append(time.perf_counter())
            connection.sendall(self.answer)


@contextmanager
def serving(handle):
    """Gives the base URL; each connection is handled in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def send(base_url, *requests, timeout_s=5):
    with Sender([base_url], timeout_s) as sender:
        return sender.send(requests, started_s=time.perf_counter())


@pytest.mark.parametrize(
    "path", ["//predict", "/a/../predict", "/%2e/predict", "/predict%0A", "/p?a=b&c=%20"]
)
def test_a_path_is_sent_as_it_stands(path):
    heard = Heard()
    with serving(heard) as base_url:
        send(base_url, Request("GET", path))
    assert heard.requests[0].startswith(f"GET {path} HTTP/1.1\r\n".encode())


def test_the_prefix_of_a_base_url_comes_first():
    heard = Heard()
    with serving(heard) as base_url:
        send(f"{base_url}/model/", Request("GET", "/predict"))
    assert heard.requests[0].startswith(b"GET /model/predict HTTP/1.1\r\n")


def test_a_header_may_be_sent_twice():
    heard = Heard()
    request = Request(
        "POST", "/", {"Authorization": "Bearer a"}, b"END", (("Authorization", "b"), ("Authorization", "c"))
    )
    with serving(heard) as base_url:
        (exchange,) = send(base_url, request)
    head = heard.requests[0].split(b"\r\n\r\n")[0].split(b"\r\n")
    assert [line for line in head if line.lower().startswith(b"authorization")] == [
        *(b"Authorization: Bearer a", b"Authorization: b", b"Authorization: c")
    ]
    assert b"Content-Length: 3" in head
    assert exchange.headers["x-a"] == "1, 2"


def test_the_host_may_be_another():
    heard = Heard()
    with serving(heard) as base_url:
        send(base_url, Request("GET", "/", {"host": "elsewhere.example"}))
    assert heard.requests[0].lower().count(b"host:") == 1


def test_no_request_of_a_group_is_whole_before_the_last_one_is_connected(monkeypatch):
    heard, connected, create_connection = Heard(), threading.Semaphore(3), socket.create_connection

    def connect(*arguments):
        if not connected.acquire(blocking=False):
            time.sleep(0.3)  # the fourth connection takes long
        return create_connection(*arguments)

    monkeypatch.setattr(connection.socket, "create_connection", connect)
    with serving(heard) as base_url:
        exchanges = send(base_url, *[Request("POST", "/", {}, b"END")] * 4)
    assert [exchange.status for exchange in exchanges] == [200] * 4
    assert max(heard.ended_s) - min(heard.ended_s) < 0.15
    assert max(exchange.elapsed_s for exchange in exchanges) < 0.15, "counted from the last byte"


@pytest.mark.parametrize(
    ("answer", "closed"),
    [
        (b"", True),
        (b"220 mail.example ESMTP\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", False),
    ],
)
def test_what_is_no_answer(answer, closed):
    with serving(Heard(answer)) as base_url:
        (exchange,) = send(base_url, Request("GET", "/"))
    assert (exchange.status, exchange.closed) == (None, closed)
    assert exchange.error


def test_a_late_answer_is_no_closed_connection():
    with serving(lambda connection: time.sleep(1) or connection.close()) as base_url:
        (exchange,) = send(base_url, Request("GET", "/"), timeout_s=0.2)
    assert (exchange.error, exchange.closed) == ("no whole answer within 0.2 s", False)


def test_an_answer_before_the_whole_request_was_read_counts():
    def handle(connection):
        with connection:
            connection.recv(10)
            connection.sendall(OK)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    with serving(handle) as base_url:
        (exchange,) = send(base_url, Request("POST", "/", {}, b"x" * 3_000_000))
    assert exchange.status == 200


def test_another_protocol_is_no_answer():
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with serving(Heard(switched)) as base_url:
        (seen,) = send(base_url, Request("GET", "/", {"Connection": "Upgrade", "Upgrade": "h2c"}))
    assert seen.status is None
    assert "another protocol" in seen.error
