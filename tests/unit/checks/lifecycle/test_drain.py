"""Draining against a service here: what is judged is what happens after SIGTERM has arrived."""

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.checks.lifecycle.drain import HELD_S, LifecycleDrain, stop_under_load
from harness.checks.lifecycle.settings import DrainSettings, LifecycleLimits
from harness.errors import InfrastructureError
from harness.http_request import Request
from harness.model import Outcome

DECLARED = DrainSettings(clients=1, held=2, load_s=0.05, wait_s=1.0)
QUESTION = Request("POST", "/", body=b"{}")


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_arguments):
        pass


class Service(ThreadingHTTPServer):
    """Behind an engine that delivers SIGTERM late or fails to; it drops all then, or ends in good order."""

    daemon_threads = True

    def __init__(self, *, delivery_s, drops=False, fails=False):
        super().__init__(("127.0.0.1", 0), Answers)
        self.base_url = f"http://127.0.0.1:{self.server_port}"
        self._delivery_s, self._drops, self._fails = delivery_s, drops, fails
        self._connections = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def get_request(self):
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def handle_error(self, *_arguments):
        pass

    def terminate(self, wait_s, delivered):
        time.sleep(self._delivery_s)
        if self._fails:
            raise InfrastructureError("container engine: gone")
        self.shutdown()
        self.server_close()
        if self._drops:
            self._drop()
        delivered()
        time.sleep(min(wait_s, 2 * HELD_S))
        self._drop()
        return 0

    def _drop(self):
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def logs(self):
        return ""


def drained(**service):
    evidence = stop_under_load(Service(**service), [QUESTION], DECLARED)
    found = {
        finding.id.rpartition(".")[2]: finding
        for finding in LifecycleDrain().judge(evidence, LifecycleLimits())
    }
    return evidence, found


@pytest.mark.parametrize("delivery_s", [0.0, 0.7])
def test_a_service_that_drops_all_at_sigterm_is_caught_however_slow_the_engine_is(delivery_s):
    evidence, found = drained(delivery_s=delivery_s, drops=True)
    assert found["answered"].outcome is Outcome.FAIL
    assert evidence.delivered_s >= delivery_s
    assert evidence.completed_s >= evidence.delivered_s + HELD_S - 0.01


def test_one_that_answers_what_it_has_passes_and_the_engine_s_time_is_not_its_own():
    evidence, found = drained(delivery_s=0.7)
    assert {finding.outcome for finding in found.values()} == {Outcome.PASS}
    assert sum(asked.held for asked in evidence.asked) == DECLARED.held
    assert evidence.exit_s == pytest.approx(2 * HELD_S, abs=0.5)


def test_an_engine_that_fails_says_so():
    with pytest.raises(InfrastructureError, match="gone"):
        stop_under_load(Service(delivery_s=0.1, fails=True), [QUESTION], DECLARED)
