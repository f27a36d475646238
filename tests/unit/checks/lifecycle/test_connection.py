"""How far an answer came, for services that end in every way."""

import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.lifecycle.connection import Client, Connection, Ending
from harness.http_request import Request
from harness.targets.process import free_port

REQUEST = Request("POST", "/p", {"X-Key": "k"}, b'{"a": 1}')
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


class Server:
    """Answers each connection's requests with the next of some bytes, then closes it."""

    def __init__(self, *answers, reset=False, wait_s=0.0):
        self._answers, self._reset, self._wait_s = list(answers), reset, wait_s
        self.requests = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self._listener.close()

    def _serve(self):
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with caller:
                while self._answers and self._answer(caller):
                    pass

    def _answer(self, caller):
        request = b""
        while not request.endswith(b'{"a": 1}'):
            piece = caller.recv(4096)
            if not piece:
                return False
            request += piece
        self.requests.append(request)
        answer = self._answers.pop(0)
        caller.sendall(answer)
        time.sleep(self._wait_s)
        return answer in (WHOLE, CHUNKED)


def asked(*answers, timeout_s=2.0, **server):
    with Server(*answers, **server) as serving, Connection(serving.url, timeout_s) as connection:
        return connection.ask(REQUEST)


@pytest.mark.parametrize(
    ("answer", "ending", "status"),
    [
        (WHOLE, Ending.ANSWERED, 200),
        (CHUNKED, Ending.ANSWERED, 200),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", Ending.ANSWERED, 200),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + WHOLE, Ending.ANSWERED, 200),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", Ending.ANSWERED, 503),
        (b"", Ending.CLOSED, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", Ending.CUT, 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", Ending.CUT, 200),
        (b"HTTP/1.1 2", Ending.CUT, None),
        (b"nonsense\r\n\r\n", Ending.CUT, None),
    ],
)
def test_each_ending_is_told(answer, ending, status):
    reply = asked(answer)
    assert (reply.ending, reply.status) == (ending, status)


def test_what_never_comes_is_given_up():
    started = time.monotonic()
    assert asked(b"HTTP/1.1 200 OK\r\n", timeout_s=0.2, wait_s=1).ending is Ending.SILENT
    assert time.monotonic() - started < 1


def test_another_protocol_ends_the_reading():
    upgrade = Request("POST", "/p", {"Connection": "Upgrade", "Upgrade": "h2c"}, b'{"a": 1}')
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    with Server(switched, wait_s=0.5) as serving, Connection(serving.url, 2) as connection:
        assert connection.ask(upgrade).ending is Ending.CUT


@given(st.binary(max_size=300))
def test_any_bytes_are_an_ending(answer):
    assert asked(answer, timeout_s=0.5).ending in Ending


def test_a_held_request_is_sent_but_for_its_last_byte():
    with Server(WHOLE) as serving, Connection(serving.url, 2) as connection:
        complete = connection.hold(REQUEST)
        time.sleep(0.1)
        assert serving.requests == []
        began = time.monotonic()
        reply = complete()
    assert (reply.ending, reply.body) == (Ending.ANSWERED, b"ok")
    assert began <= reply.sent_at <= time.monotonic()
    (request,) = serving.requests
    assert request.startswith(b"POST /p HTTP/1.1\r\n")
    assert b"X-Key: k\r\n" in request


def test_a_client_keeps_its_connection_and_opens_another_when_it_was_closed():
    last = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with Server(WHOLE, CHUNKED, last, WHOLE) as serving, Client(serving.url, 2) as client:
        assert [client.ask(REQUEST).ending for _ in range(4)] == [Ending.ANSWERED] * 4
    assert serving.connections == 2


def test_nobody_there_is_told():
    with Client(f"http://127.0.0.1:{free_port()}", 2) as client:
        assert client.ask(REQUEST).ending is Ending.REFUSED
