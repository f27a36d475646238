"""The URL target: waits, never stops what it did not start. No engine needed."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from local_processes import free_port

from harness.config.service import ServiceSettings
from harness.errors import TargetError
from harness.model import Scope
from harness.targets.url import UrlTarget


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ready" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield server
        server.shutdown()


def service(ready_path="/ready", timeout_s=1.0):
    settings = {"port": 8080, "ready_path": ready_path, "ready_timeout_s": timeout_s}
    return ServiceSettings.model_validate(settings)


def test_it_is_described_by_its_url_and_left_running(server):
    url = f"http://127.0.0.1:{server.server_port}"
    with UrlTarget(f"{url}/", service()) as endpoint:
        assert endpoint.base_url == url
        assert (endpoint.description.kind, endpoint.description.url) == (Scope.URL, url)
        assert endpoint.alive()
        assert endpoint.logs() == ""
    assert endpoint.alive()


def test_nothing_listens_there():
    started = time.monotonic()
    with (
        pytest.raises(TargetError, match="not ready within 1 s"),
        UrlTarget(f"http://127.0.0.1:{free_port()}", service()),
    ):
        pass
    assert time.monotonic() - started < 5


def test_it_answers_another_status(server):
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.raises(TargetError, match="status 404"), UrlTarget(url, service("/nothing-here")):
        pass


def test_it_went_away():
    port = free_port()
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        with UrlTarget(f"http://127.0.0.1:{port}", service()) as endpoint:
            server.shutdown()
            thread.join(5)
            server.server_close()
            assert not endpoint.alive()
