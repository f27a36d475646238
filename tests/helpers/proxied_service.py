"""A service of a few lines in a thread, for what stands before it: it predicts, refuses, counts and tells."""

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEYS = ("a-valid-key-of-some-length", "another-key-of-some-length")
QUOTA = 3
SLOW_S = 0.05


class Service(ThreadingHTTPServer):
    """Answers on a free loopback port.

    Attributes:
        asked: How often each path was asked.
        most_at_once: Predictions that were made at the same time.
        ready: What the readiness path says.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = Counter()
        self.charged = Counter()
        self.predicting = self.most_at_once = 0
        self.ready = True
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        service = self.server
        service.asked[self.path] += 1
        if self.path == "/ready":
            self.answer(200 if service.ready else 503, {"ready": service.ready})
        elif self.path == "/metrics":
            text = f"asked_total {service.asked['/predict']}.0\nasked_seconds_sum 0.5\n"
            self.send(200, text.encode(), {"Content-Type": "text/plain; version=0.0.4"})
        elif self.path == "/openapi.json":
            self.answer(200, {"openapi": "3.1.0", "paths": {"/predict": {}, "/ready": {}}})
        elif self.path == "/model":
            self.answer(200, {"name": "double", "version": "1.0"})
        else:
            self.answer(404, {"error": "no such path"})

    def do_POST(self):
        service = self.server
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        service.asked[self.path] += 1
        if self.headers.get("X-API-Key") not in KEYS:
            self.answer(401, {"error": "no key"}, {"WWW-Authenticate": "Bearer"})
            return
        if self.path not in {"/predict", "/slow", "/limited"}:
            self.answer(404, {"error": "no such path"})
            return
        try:
            numbers = json.loads(content, parse_constant=refuse)["x"]
        except (ValueError, KeyError, TypeError):
            numbers = [None]
        if not all(type(number) in {int, float} for number in numbers):
            self.answer(422, {"error": "x: numbers"})
            return
        if self.path == "/limited" and self.exhausted():
            return
        self.predict(numbers)

    def exhausted(self):
        """Whether the key has used up its quota; then the answer is given."""
        key = self.headers["X-API-Key"]
        with self.server.lock:
            self.server.charged[key] += 1
            left = QUOTA - self.server.charged[key]
        if left < 0:
            self.answer(429, {"error": "too many"}, {"Retry-After": "7", "X-RateLimit-Remaining": "0"})
        return left < 0

    def predict(self, numbers):
        service = self.server
        with service.lock:
            service.predicting += 1
            service.most_at_once = max(service.most_at_once, service.predicting)
        if self.path == "/slow":
            time.sleep(SLOW_S)
        with service.lock:
            service.predicting -= 1
        rows = [
            {"y": 2 * number + 0.123456789, "label": "odd" if number % 2 else "even"} for number in numbers
        ]
        document = {
            "sum": sum(numbers),
            "p": [0.25, 0.75],
            "scores": {"a": 0.1, "b": 0.9},
            "rows": rows,
            "none": None,
        }
        self.answer(200, document)

    def answer(self, status, document, headers=None):
        self.send(
            status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})}
        )

    def send(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "X-Request-ID" in self.headers:
            self.send_header("X-Request-ID", self.headers["X-Request-ID"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def refuse(name):
    raise ValueError(f"no JSON: {name}")


@contextmanager
def serving():
    """The service, until the block ends."""
    with Service() as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()
