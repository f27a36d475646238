"""One request, its answer read no further than a size and a time."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from harness.http_exchange import exchange
from harness.http_request import Request


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Path", self.path)
        self.send_header("X-Encoding", self.headers["Accept-Encoding"])
        self.end_headers()
        try:
            if self.path == "/drip":
                for _ in range(100):
                    self.wfile.write(b".")
                    self.wfile.flush()
                    time.sleep(0.05)
            else:
                self.wfile.write(b"x" * 1000)
        except OSError:
            pass  # the client had enough


@pytest.fixture(scope="module")
def client():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base_url = f"http://127.0.0.1:{server.server_address[1]}"
        with httpx.Client(base_url=base_url, timeout=5, trust_env=False) as client:
            yield client
        server.shutdown()


def test_a_whole_answer(client):
    answer = exchange(client, Request("GET", "/a"), timeout_s=5, most_bytes=1000)
    assert (answer.status, answer.body, answer.truncated) == (200, b"x" * 1000, False)
    assert answer.headers["x-encoding"] == "identity"


def test_a_long_answer_is_cut(client):
    answer = exchange(client, Request("GET", "/a"), timeout_s=5, most_bytes=999)
    assert (len(answer.body), answer.truncated) == (999, True)


def test_an_answer_that_drips_is_given_up(client):
    started = time.monotonic()
    with pytest.raises(httpx.ReadTimeout, match="still answering"):
        exchange(client, Request("GET", "/drip"), timeout_s=0.3, most_bytes=1000)
    assert time.monotonic() - started < 3


def test_a_double_slash_is_sent_as_it_is(client):
    # Python's own server answers it with one slash in `path`, so the request line is what counts.
    answer = exchange(client, Request("GET", "//a?b=//c"), timeout_s=5, most_bytes=1000)
    assert answer.headers["x-path"].endswith("/a?b=//c")
    assert (
        str(client.build_request("GET", str(client.base_url).rstrip("/") + "//a").url.raw_path, "ascii")
        == "//a"
    )
