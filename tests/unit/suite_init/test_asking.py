"""How long a service is asked that answers slowly, or takes little."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from harness.config.auth import AuthSettings
from harness.credentials import Credentials
from harness.errors import AnswerError
from harness.http_request import RequestTemplate
from harness.suite_init import asking

TEMPLATE = RequestTemplate(path="/", body={"input": "{{input}}"})
BODIES = [{"x": number} for number in range(6)]


class Service(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, status):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.asked = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture
def asked(request):
    """Asks a service that answers so all bodies; gives it and what came of that."""

    def ask(status):
        server = Service(status)
        request.addfinalizer(server.server_close)
        request.addfinalizer(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        endpoint = SimpleNamespace(base_url=url, alive=lambda: True, logs=lambda: "")
        credentials = Credentials(AuthSettings(), {})
        try:
            result = asking.ask(endpoint, TEMPLATE, BODIES, credentials, lambda _done, _of: None)
        except AnswerError as error:
            result = error
        return server, result

    return ask


def test_each_body_is_asked_twice_where_there_is_time(asked):
    server, result = asked(200)
    assert server.asked == 2 * len(BODIES)
    assert len(result.kept) == len(BODIES)


def test_beyond_the_whole_time_one_of_each_round_is_asked(asked, monkeypatch):
    monkeypatch.setattr(asking, "WHOLE_S", 0)
    server, result = asked(200)
    assert server.asked == 2
    assert (result.asked, len(result.kept)) == (1, 1)


def test_one_that_refuses_is_not_asked_beyond_it_either(asked, monkeypatch):
    monkeypatch.setattr(asking, "WHOLE_S", 0)
    server, result = asked(503)
    assert server.asked == 1
    assert "none of 1 requests was answered" in str(result)
