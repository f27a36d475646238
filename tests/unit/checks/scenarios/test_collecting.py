"""Playing scenarios against services that misbehave on the wire."""

import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from socket import create_server

import pytest

from harness.checks.scenarios.check import AuthScenarios
from harness.config.suite import load_suite
from harness.errors import TargetError
from harness.model import Outcome

ONE = """
[[scenario]]
id = "first"
title = "It answers"
[[scenario.steps]]
request = "predict"
credential = "api_key"
expect = { status = 200 }
[[scenario]]
id = "second"
title = "It waits"
[[scenario.steps]]
method = "GET"
path = "/ready"
expect = { status = 200 }
[[scenario.steps]]
method = "GET"
path = "/ready"
wait = "retry_after"
expect = { status = 200 }
"""


@pytest.fixture
def short_suite(folder):
    """Two scenarios, and a timeout that a test can wait for."""
    gate = (folder / "gate.toml").read_text().replace("[scenarios]", "[scenarios]\ntimeout_s = 0.3", 1)
    (folder / "gate.toml").write_text(gate)
    (folder / "auth.toml").write_text(ONE)
    return load_suite(folder / "gate.toml")


def play(context):
    return AuthScenarios().collect(context, context.suite.config.scenarios)


def judge(evidence, context):
    """The findings of the scenarios; secrets are judged by what could be read."""
    *scenarios, secrets = AuthScenarios().judge(evidence, context.suite.config.scenarios.limits)
    told = Outcome.INCONCLUSIVE if evidence.unread else Outcome.PASS
    assert (secrets.id, secrets.outcome) == ("scenarios.auth.secrets", told)
    return scenarios


class Drips(BaseHTTPRequestHandler):
    """An answer that never ends."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(40):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *_):
        pass


class Floods(Drips):
    """An answer of several megabytes."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 4_000_000)


class Garbage(Drips):
    """An answer that is not HTTP."""

    def do_GET(self):
        self.wfile.write(b"220 mail.example ESMTP\r\n")


class Redirects(Drips):
    """Sends the caller elsewhere, with a wait."""

    def do_GET(self):
        self.send_response(307)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Retry-After", "3600")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize("handler", [Drips, Garbage])
def test_no_answer_is_a_failing_observation(handler, serve_raw, context_for, short_suite):
    with serve_raw(handler) as base_url:
        context = context_for(base_url, suite=short_suite)
        evidence = play(context)
    assert evidence.executed == 2
    findings = judge(evidence, context)
    assert {finding.outcome for finding in findings} == {Outcome.FAIL}
    assert "no answer: " in findings[0].message
    assert findings[0].limit == 200


def test_a_refused_connection_of_a_living_candidate_is_a_failing_observation(context_for, short_suite):
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    evidence = play(context_for(f"http://127.0.0.1:{port}", suite=short_suite))
    (exchange,) = evidence.scenarios[0].steps[0].exchanges
    assert exchange.status is None
    assert exchange.error.startswith("ConnectionRefusedError")
    assert not exchange.closed


def test_a_dead_candidate_is_an_error_with_its_logs(context_for, short_suite):
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with pytest.raises(TargetError, match="died during scenario 'first'") as caught:
        play(context_for(f"http://127.0.0.1:{port}", lives=False, suite=short_suite))
    assert caught.value.logs == "last words"


def test_a_candidate_that_ends_soon_after_the_last_step_died(context_for, short_suite, monkeypatch):
    """Nobody else asks for it where it was started for its variant only."""
    with closing(create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    context = context_for(f"http://127.0.0.1:{port}", suite=short_suite)
    after_each_scenario = iter([True, True])
    monkeypatch.setattr(type(context.candidate), "alive", lambda _: next(after_each_scenario, False))
    with pytest.raises(TargetError, match="stopped during the scenarios") as caught:
        play(context)
    assert caught.value.logs == "last words"


def test_a_long_answer_is_cut(serve_raw, context_for, short_suite):
    with serve_raw(Floods) as base_url:
        evidence = play(context_for(base_url, suite=short_suite))
    (exchange,) = evidence.scenarios[0].steps[0].exchanges
    assert exchange.truncated
    assert exchange.body == "x" * 16 * 1024


def test_a_redirect_is_not_followed_and_a_long_wait_not_waited(serve_raw, context_for, short_suite):
    with serve_raw(Redirects) as base_url:
        context = context_for(base_url, suite=short_suite)
        evidence = play(context)
    assert evidence.scenarios[0].steps[0].exchanges[0].status == 307
    waiting = evidence.scenarios[1].steps[1]
    assert waiting.exchanges == ()
    assert waiting.not_sent == "Retry-After of the answer before it is 3600 s, the most waited is 10 s"
    assert judge(evidence, context)[1].outcome is Outcome.FAIL


def test_a_missing_retry_after_is_said(serve, context_for, short_suite):
    with serve() as base_url:
        context = context_for(base_url, suite=short_suite)
        evidence = play(context)
    finding = judge(evidence, context)[1]
    assert finding.outcome is Outcome.FAIL
    assert "has no Retry-After" in finding.message


def test_fewer_scenarios_than_the_suite_demands_are_too_few(serve, context_for, short_suite):
    with serve() as base_url:
        context = context_for(base_url, suite=short_suite)
        settings = short_suite.config.scenarios.model_copy(update={"min_auth": 12})
        evidence = AuthScenarios().collect(context, settings)
    assert (evidence.expected, evidence.executed) == (12, 2)


def test_progress_is_told(serve, context_for, short_suite):
    told = []
    with serve() as base_url:
        context = context_for(base_url, suite=short_suite)
        object.__setattr__(context, "progress", lambda done, total: told.append((done, total)))
        play(context)
    assert told == [(1, 2), (2, 2)]


class Slow(Drips):
    """Answers after a while."""

    def do_GET(self):
        time.sleep(0.1)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


def test_a_budget_that_is_spent_leaves_scenarios_unplayed(serve_raw, context_for, short_suite):
    settings = short_suite.config.scenarios.model_copy(update={"budget_s": 0.05})
    with serve_raw(Slow) as base_url:
        evidence = AuthScenarios().collect(context_for(base_url, suite=short_suite), settings)
    assert (evidence.expected, evidence.executed) == (2, 1)
    assert [scenario.id for scenario in evidence.scenarios] == ["first"]
