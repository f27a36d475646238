"""Whatever bytes come back, they are an answer or an error of HTTP: nothing else reaches a check."""

import socket
import threading

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.http_exchange import exchange, http_client
from harness.http_request import Request

HEADER = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=120)
STATUSES = st.sampled_from([101, 200, 204, 301, 302, 303, 307, 308, 304, 401, 407, 599, 999])


class Server:
    """Answers each connection with the same bytes, then closes it."""

    def __init__(self):
        self.answer = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                caller, _ = self.listener.accept()
            except OSError:
                return
            with caller:
                caller.recv(65536)
                caller.sendall(self.answer)


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.listener.close()


def asked(server, answer):
    """The answer, None where it was an error of HTTP."""
    server.answer = answer
    with http_client(server.url, keep_alive=False) as client:
        try:
            return exchange(client, Request("GET", "/"), timeout_s=5, most_bytes=1000)
        except httpx.HTTPError:
            return None


@given(st.binary(max_size=300))
def test_any_bytes(server, answer):
    seen = asked(server, answer)
    assert seen is None or len(seen.body) <= 1000


@example(302, "Location", "http://[")
@example(302, "Location", "//[::1")
@example(302, "Location", "http://a:99999999999999999999/")
@example(302, "Location", "data:text/plain,x")
@example(302, "Location", "http://\x80.\xff/")
@example(302, "Location", "a" * 70_000)
@example(200, "Content-Encoding", "gzip")
@example(200, "Set-Cookie", "a=b; Expires=" + "1 " * 5_000)
@example(200, "Content-Length", "1" * 5_000)
@example(200, "Transfer-Encoding", "gzip, chunked")
@given(STATUSES, st.sampled_from(["Location", "Set-Cookie", "Content-Length", "Connection", "X"]), HEADER)
def test_any_header(server, status, name, value):
    head = f"HTTP/1.1 {status} Any\r\n{name}: {value}\r\n".encode("latin-1")
    seen = asked(server, head + b"Connection: close\r\n\r\nbody")
    assert seen is None or seen.status == status
