"""One request, its answer read no further than a size and a time."""

import gzip
import threading
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from harness.config.service import ServiceSettings
from harness.errors import TargetError
from harness.http_exchange import Document, exchange, get_document, http_client
from harness.http_request import Request
from harness.targets.url import UrlTarget

DRIPS = {"/drip-status": b"H", "/drip-headers": b"HTTP/1.1 200 OK\r\nX-Drip: ", "/drip-interim": b""}
BOMB = gzip.compress(gzip.compress(bytes(64 * 1024 * 1024)))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def log_message(self, *_):
        pass

    def do_POST(self):
        time.sleep(5)  # the body is never read

    def do_GET(self):
        try:
            self.misbehave()
        except OSError:
            self.close_connection = True  # the client had enough

    def misbehave(self):
        if self.path == "/bomb":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip, gzip")
            self.send_header("Content-Length", str(len(BOMB)))
            self.end_headers()
            self.wfile.write(BOMB)
            return
        if self.path in DRIPS:
            self.wfile.write(DRIPS[self.path])
            self.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n" if "interim" in self.path else b"T")
            return
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Location", "/a")
        self.send_header("Set-Cookie", "session=abc; Path=/")
        self.send_header("X-Path", self.path)
        self.send_header("X-Cookie", self.headers.get("Cookie", ""))
        self.send_header("X-Encoding", self.headers["Accept-Encoding"])
        self.send_header("X-Client", str(self.client_address[1]))
        self.send_header("Content-Length", "100000" if self.path in ("/drip", "/nothing") else "1000")
        self.end_headers()
        if self.path == "/drip":
            self.drip(b".")
        elif self.path == "/nothing":
            time.sleep(3)
        else:
            self.wfile.write(b"x" * 1000)

    def drip(self, piece):
        for _ in range(60):
            self.wfile.write(piece)
            self.wfile.flush()
            time.sleep(0.05)
        self.close_connection = True


@pytest.fixture(scope="module")
def base_url():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        server.block_on_close = False


@pytest.fixture
def client(base_url):
    with http_client(base_url) as client:
        yield client


def test_a_whole_answer(client):
    answer = exchange(client, Request("GET", "/a"), timeout_s=5, most_bytes=1000)
    assert (answer.status, answer.body, answer.truncated) == (200, b"x" * 1000, False)
    assert answer.headers["x-encoding"] == "identity"


def test_a_compressed_answer_is_not_decoded(client):
    tracemalloc.start()
    answer = exchange(client, Request("GET", "/bomb"), timeout_s=5, most_bytes=100)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.body.startswith(b"\x1f\x8b")
    assert peak_bytes < 16 * 1024 * 1024


@pytest.mark.parametrize("path", ["@127.0.0.1:9/secret", "http://127.0.0.1:9/", "*", ""])
def test_a_path_leads_to_no_other_host(client, path):
    with pytest.raises(ValueError, match="not a path"):
        exchange(client, Request("GET", path), timeout_s=5, most_bytes=100)


@pytest.mark.parametrize("path", ["/a\nb", "/\x00", "/" + "x" * 70_000])
def test_a_path_that_cannot_be_sent_gives_no_answer(client, path):
    with pytest.raises(httpx.HTTPError):
        exchange(client, Request("GET", path), timeout_s=5, most_bytes=100)


def test_a_long_answer_is_cut(client):
    answer = exchange(client, Request("GET", "/a"), timeout_s=5, most_bytes=999)
    assert (len(answer.body), answer.truncated) == (999, True)


@pytest.mark.parametrize(
    ("path", "most_bytes", "expected"),
    [
        ("/a", 1000, Document(200, b"x" * 1000)),
        ("/a", 999, Document(200, b"x" * 999, "more than 999 bytes")),
        ("/elsewhere", 1000, Document(302, b"x" * 1000, "HTTP 302, expected 200")),
        ("/drip", 1000, Document(problem="no answer: ReadTimeout: no whole answer within 0.5 s")),
    ],
)
def test_a_document_is_whole_or_says_why_it_is_not(client, path, most_bytes, expected):
    assert get_document(client, Request("GET", path), timeout_s=0.5, most_bytes=most_bytes) == expected


@pytest.mark.parametrize("path", ["/drip", *DRIPS])
def test_an_answer_that_drips_is_given_up(client, path):
    started = time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        exchange(client, Request("GET", path), timeout_s=0.3, most_bytes=10_000)
    assert time.monotonic() - started < 1


def test_a_request_that_is_not_taken_is_given_up(client):
    started = time.monotonic()
    with pytest.raises((httpx.WriteTimeout, httpx.ReadTimeout)):
        exchange(client, Request("POST", "/", {}, b"x" * 50_000_000), timeout_s=0.3, most_bytes=1)
    assert time.monotonic() - started < 2


def test_without_a_size_the_body_is_not_waited_for(client):
    started = time.monotonic()
    assert exchange(client, Request("GET", "/nothing"), timeout_s=2, most_bytes=0).status == 200
    assert time.monotonic() - started < 1


def test_no_cookie_is_kept_and_no_redirect_followed(client):
    first = exchange(client, Request("GET", "/elsewhere"), timeout_s=5, most_bytes=1000)
    second = exchange(client, Request("GET", "/a"), timeout_s=5, most_bytes=1000)
    assert first.status == 302
    assert "session=abc" in first.headers["set-cookie"]
    assert second.headers["x-cookie"] == ""
    assert second.headers["x-client"] == first.headers["x-client"], "the connection is kept"


def test_each_request_on_a_connection_of_its_own(base_url):
    with http_client(base_url, keep_alive=False) as client:
        ports = {
            exchange(client, Request("GET", "/a"), timeout_s=5, most_bytes=1000).headers["x-client"]
            for _ in range(2)
        }
    assert len(ports) == 2


def test_a_readiness_path_that_drips_is_given_up_in_its_time(base_url):
    settings = {"port": 80, "ready_path": "/drip-headers", "ready_timeout_s": 0.5}
    started = time.monotonic()
    with (
        pytest.raises(TargetError, match=r"not ready within 0\.5 s"),
        UrlTarget(base_url, ServiceSettings.model_validate(settings)),
    ):
        pass
    assert time.monotonic() - started < 1.5


def test_a_url_lives_though_its_body_never_ends(base_url):
    settings = {"port": 80, "ready_path": "/nothing"}
    with UrlTarget(base_url, ServiceSettings.model_validate(settings)) as endpoint:
        started = time.monotonic()
        assert endpoint.alive()
    assert time.monotonic() - started < 1


def test_a_double_slash_is_sent_as_it_is(client):
    # Python's own server answers it with one slash in `path`, so the request line is what counts.
    answer = exchange(client, Request("GET", "//a?b=//c"), timeout_s=5, most_bytes=1000)
    assert answer.headers["x-path"].endswith("/a?b=//c")
    assert (
        str(client.build_request("GET", str(client.base_url).rstrip("/") + "//a").url.raw_path, "ascii")
        == "//a"
    )
