"""The suite that docs/scenarios.md builds from scratch holds for its service, and fails a wrong one."""

import json
import math
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.checks.scenarios import playing, sending
from harness.checks.scenarios.check import AuthScenarios, RateScenarios
from harness.config.suite import load_suite
from harness.model import Outcome
from harness.template import fill
from harness.testing import check_context


@dataclass
class Clock:
    """Time that passes at once when it is waited for."""

    ahead_s: float = 0.0

    def time(self):
        return time.time() + self.ahead_s

    def perf_counter(self):
        return time.perf_counter() + self.ahead_s

    def sleep(self, seconds):
        self.ahead_s += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(playing, "time", clock)
    monkeypatch.setattr(sending, "time", clock)
    return clock


@pytest.fixture
def context(pages, tmp_path):
    for block in pages["docs/scenarios.md"].blocks("toml"):
        name = block.first_line.removeprefix("# ")
        if name.endswith(".toml"):
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text)  # the whole gate.toml comes after the one in parts
    return check_context(load_suite(tmp_path / "gate.toml"), tmp_path)


@dataclass
class Service:
    """As the page describes it: ``API_KEYS`` holds ``key=requests/seconds``."""

    api_keys: str
    clock: Clock
    fault: str = ""
    sent_s: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, key):
        quotas = dict(part.split("=") for part in self.api_keys.split())
        if key not in quotas and self.fault != "open":
            return 401, {}, {"error": "unknown key"}
        requests, seconds = map(int, quotas.get(key, "1000/1").split("/"))
        with self.lock:
            now_s = self.clock.perf_counter()
            recent = [sent for sent in self.sent_s.get(key, []) if now_s - sent < seconds]
            if len(recent) >= requests and self.fault != "unlimited":
                return 429, {"Retry-After": str(math.ceil(recent[0] + seconds - now_s))}, {"error": "quota"}
            self.sent_s[key] = [*recent, now_s]
        return 200, {}, {"score": 0.97}


class Server(ThreadingHTTPServer):
    request_queue_size = 64  # the default of 5 makes a burst wait a second for its connections


def judged(context, service, check):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, answer = service.answer(self.headers["X-Key"])
            content = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    settings = context.suite.config.scenarios
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        context.candidate.base_url = f"http://127.0.0.1:{server.server_port}"
        evidence = check.collect(context, settings)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert evidence.executed == evidence.expected
    return {
        finding.id.rpartition(".")[2]
        for finding in check.judge(evidence, settings.limits)
        if finding.outcome is not Outcome.PASS
    }


@pytest.mark.parametrize(
    ("fault", "auth", "rate"),
    [
        ("", set(), set()),
        ("open", {"missing", "wrong", "longer"}, set()),
        ("unlimited", set(), {"burst", "independent", "retry-after"}),
    ],
)
def test_each_fault_fails_the_scenarios_about_it(context, clock, fault, auth, rate):
    declared = context.suite.config.service.environment["API_KEYS"]
    service = Service(fill(declared, context.credentials.template_values()), clock, fault)
    assert judged(context, service, AuthScenarios()) == auth
    assert judged(context, service, RateScenarios()) == rate
