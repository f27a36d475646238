"""Answers to generated requests end at a size and a time, whatever they claim to be."""

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from harness.checks.fuzz.bounded_answers import MOST_BYTES, BoundedAdapter, bound_answers

TIMEOUT_S = 2.0
GREETING = b'{"hello": "world"}'


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        try:
            getattr(self, self.path.strip("/"))()
        except OSError:
            self.close_connection = True  # the client had enough

    def head(self, length, **more):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def plain(self):
        self.head(len(GREETING), X_Port=self.client_address[1])
        self.wfile.write(GREETING)

    def packed(self):
        content = gzip.compress(GREETING)
        self.head(len(content), Content_Encoding="gzip")
        self.wfile.write(content)

    def bomb(self):
        content = gzip.compress(bytes(4 * MOST_BYTES))
        self.head(len(content), Content_Encoding="gzip")
        self.wfile.write(content)

    def large(self):
        self.head(10_000_000_000)
        while True:
            self.wfile.write(bytes(1024 * 1024))

    def short(self):
        self.head(100)
        self.wfile.write(GREETING)
        self.close_connection = True

    def drip(self):
        self.head(1000)
        for _ in range(100):
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.1)

    def stream(self):
        self.head(len(GREETING), Content_Type="text/event-stream; charset=utf-8")
        self.wfile.write(GREETING)


@pytest.fixture(scope="module")
def base_url():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def ask(base_url):
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", BoundedAdapter(TIMEOUT_S))
        yield lambda path: session.get(f"{base_url}/{path}", timeout=TIMEOUT_S, stream=True)


@pytest.mark.parametrize("path", ["plain", "packed", "stream"])
def test_what_is_small_is_read_whole(ask, path):
    assert ask(path).content == GREETING


def test_a_connection_whose_answer_was_read_is_used_again(ask):
    assert ask("plain").headers["X-Port"] == ask("plain").headers["X-Port"]


@pytest.mark.parametrize(
    ("path", "error", "why"),
    [
        ("large", requests.exceptions.ChunkedEncodingError, f"more than {MOST_BYTES} bytes"),
        ("bomb", requests.exceptions.ChunkedEncodingError, f"more than {MOST_BYTES} bytes"),
        ("short", requests.exceptions.ChunkedEncodingError, "18 bytes read"),
        ("drip", requests.ReadTimeout, "no whole answer in time"),
    ],
)
def test_what_is_not_whole_is_no_answer(ask, path, error, why):
    with pytest.raises(error, match=why) as caught:
        ask(path)
    assert caught.value.request.url.endswith(path)


def test_every_session_that_is_made_from_then_on_reads_so(monkeypatch):
    monkeypatch.setattr(requests.sessions, "HTTPAdapter", requests.sessions.HTTPAdapter)
    bound_answers(TIMEOUT_S)
    with requests.Session() as session:
        assert isinstance(session.get_adapter("http://127.0.0.1:9/"), BoundedAdapter)
        assert isinstance(session.get_adapter("https://127.0.0.1:9/"), BoundedAdapter)
