"""A reverse proxy before a service that is in use: passes requests on, and offers them to a recorder."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from harness.http_exchange import exchange, http_client
from harness.http_request import Request
from harness.traffic.recorder import Recorder
from harness.traffic.recording import JSON

CONNECTIONS = 64
LARGEST_BODY = 8 * 1024 * 1024
LARGEST_ANSWER = 64 * 1024 * 1024
MOST_DIGITS = 20
"""Of a length: Python refuses to read a number of thousands."""
TIMEOUT_S = 60.0
POLL_S = 0.2
# RFC 9110, section 7.6.1: they are of one connection, not of the message; the length is that of what is sent.
OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class RecordingProxy(ThreadingHTTPServer):
    """Listens at once; serves within :meth:`serve_until_full`.

    What the service refuses is passed on and not recorded: it is no traffic to compare predictions by.

    Args:
        upstream: Base URL of the service, without a trailing slash.
        recorder: Gets the requests.
        host: To listen on.
        port: 0 for any.

    Raises:
        OSError: when it cannot listen there.
    """

    daemon_threads = True

    def __init__(self, upstream: str, recorder: Recorder, *, host: str, port: int) -> None:
        super().__init__((host, port), _Handler)
        self.client = http_client(upstream, connections=CONNECTIONS)
        self.recorder = recorder

    def serve_until_full(self, *, seconds: float | None, progress: Callable[[int], None]) -> None:
        """Serve until enough is recorded, the time is over, or the caller is interrupted."""
        give_up = None if seconds is None else time.monotonic() + seconds
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            while not self.recorder.full.wait(POLL_S) and (give_up is None or time.monotonic() < give_up):
                progress(self.recorder.recorded)
        finally:
            self.shutdown()
            self.server_close()
            self.client.close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: RecordingProxy
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S

    def pass_on(self) -> None:
        """One request: to the service, back to the caller, and then to the recorder."""
        if not self.path.startswith("/"):
            self._refuse(HTTPStatus.BAD_REQUEST, "the request target is not a path")
            return
        body = self._body()
        if body is None:
            return
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in OF_THE_CONNECTION
        }
        request = Request(self.command, self.path, headers, body or None)
        try:
            answer = exchange(self.server.client, request, timeout_s=TIMEOUT_S, most_bytes=LARGEST_ANSWER)
        except httpx.HTTPError as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, f"the service did not answer: {type(error).__name__}")
            return
        if answer.truncated:
            self._refuse(HTTPStatus.BAD_GATEWAY, f"the answer has more than {LARGEST_ANSWER} bytes")
            return
        self._answer(answer.status, answer.headers, answer.body)
        if httpx.codes.is_success(answer.status):
            self.server.recorder.offer(self.command, self.path, self.headers.get("Content-Type"), body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = pass_on  # noqa: N815 - looked up by these names

    def _body(self) -> bytes | None:
        if self.headers.get("Transfer-Encoding"):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "bodies are taken with a Content-Length only")
            return None
        length = self.headers.get("Content-Length", "0")
        legible = len(length) <= MOST_DIGITS and length.isascii() and length.isdecimal()
        if not legible or int(length) > LARGEST_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"bodies are taken up to {LARGEST_BODY} bytes")
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: int, message: str) -> None:
        """An answer of the recorder's own, after which the connection is in no known state."""
        self.close_connection = True
        content = json.dumps({"recorder": message}).encode()
        self._answer(status, {"Content-Type": JSON}, content)

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in OF_THE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: paths may hold what is nobody's business."""
