"""How much of many answers is held at a time."""

import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from harness.checks.golden.asking import ask_all
from harness.http_request import Request

# A list of nothing takes three bytes of JSON and some eighty of memory.
CONTENT = b"[" + b"[]," * 20_000 + b"[]]"
QUESTIONS = 40


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield SimpleNamespace(base_url=url, alive=lambda: True, logs=lambda: "")
        server.shutdown()


def test_answers_that_wait_are_held_as_they_came(endpoint):
    settings = SimpleNamespace(connections=8, timeout_s=10.0, most_answer_bytes=1024 * 1024, budget_s=60.0)
    questions = ((number, Request("GET", "/")) for number in range(QUESTIONS))
    tracemalloc.start()
    try:
        lengths = [len(answer.document) for _, _, answer in ask_all(endpoint, questions, settings)]
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lengths == [20_001] * QUESTIONS
    assert peak_bytes < 20_000_000
