"""Whoever is called after its scenario, or cannot be listened for; and what is cut or cannot be read."""

import dataclasses
import socket
import threading

import pytest

from harness.checks.scenarios import check
from harness.checks.scenarios.check import AuthScenarios
from harness.checks.scenarios.evidence import Exchange, ScenariosEvidence
from harness.config.suite import load_suite
from harness.model import Capability, Outcome, Scope, TargetDescription

CALLED = """
[[scenario]]
id = "called"
title = "Nobody is called"
[[scenario.steps]]
method = "GET"
path = "/x?at=${listener.url}"
expect = { status = 401, no_connection = true, counters = { inferences = { at_least = 0 } } }
[[scenario]]
id = "other"
title = "Another"
[[scenario.steps]]
method = "GET"
path = "/y"
expect = { status = 401 }
"""


class CallsLate:
    """Calls the address of the first request while the second is asked."""

    def __init__(self, *_):
        self.address = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def send(self, requests, **_):
        path = requests[0].path
        if path == "/metrics":
            return [Exchange(sent_s=0, elapsed_s=0, status=200, body="predictions_total 0")] * len(requests)
        if path.startswith("/x"):
            self.address = path.partition("at=http://")[2].split(":")
        else:
            host, port = self.address
            socket.create_connection((host, int(port)), 2).close()
        return [Exchange(sent_s=0, elapsed_s=0.1, status=401)]


@pytest.fixture
def context(folder, context_for, monkeypatch):
    monkeypatch.setattr(check, "Sender", CallsLate)
    (folder / "auth.toml").write_text(CALLED)
    return context_for("http://service", suite=load_suite(folder / "gate.toml"))


def findings(context, **changes):
    candidate = dataclasses.replace(context.candidate, **changes)
    context = dataclasses.replace(context, candidate=candidate)
    settings = context.suite.config.scenarios
    evidence = AuthScenarios().collect(context, settings)
    stored = ScenariosEvidence.model_validate_json(evidence.model_dump_json())
    return AuthScenarios().judge(stored, settings.limits)


def test_a_call_after_the_scenario_fails_it(context):
    before = threading.active_count()
    called, other, _ = findings(context)
    assert called.outcome is Outcome.FAIL
    assert "opened 1 connections to an address that the request named" in called.message
    assert other.outcome is Outcome.PASS
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("kind", "outcome", "missing"),
    [
        (Scope.CONTAINER, Outcome.INCONCLUSIVE, None),
        (Scope.URL, Outcome.NOT_APPLICABLE, Capability.CONTAINER),
    ],
)
def test_a_container_that_cannot_be_listened_for_tells_nothing(context, monkeypatch, kind, outcome, missing):
    monkeypatch.setattr(CallsLate, "send", lambda *_, **__: [Exchange(sent_s=0, elapsed_s=0, status=401)])
    monkeypatch.setattr(type(context.candidate), "host_address", lambda _: None)
    called, *_ = findings(context, description=TargetDescription(kind=kind, url="http://service"))
    assert (called.outcome, called.missing) == (outcome, missing)
    assert "nothing tells by which address" in called.message


@pytest.mark.parametrize(
    ("leaks", "keeps_all", "outcome"),
    [
        (False, True, Outcome.PASS),
        (True, True, Outcome.FAIL),
        (True, False, Outcome.FAIL),
        (False, False, Outcome.INCONCLUSIVE),
    ],
)
def test_a_log_that_may_have_been_cut_clears_nobody(context, leaks, keeps_all, outcome):
    log = f"key {context.credentials.key('default')}" if leaks else "ready"
    *_, secrets = findings(context, log=log, keeps_all=keeps_all)
    assert secrets.outcome is outcome


@pytest.mark.parametrize(("leaks", "outcome"), [(False, Outcome.INCONCLUSIVE), (True, Outcome.FAIL)])
def test_metrics_that_cannot_be_read_at_the_end_clear_nobody(context, monkeypatch, leaks, outcome):
    refused = [Exchange(sent_s=0, elapsed_s=0, status=503)]
    monkeypatch.setattr(CallsLate, "send", lambda *_, **__: refused)
    log = f"key {context.credentials.key('default')}" if leaks else "ready"
    *_, secrets = findings(context, log=log)
    assert secrets.outcome is outcome
    told = (
        "stands in the log"
        if leaks
        else "no key or token of this run stands in the log; /metrics could not be read"
    )
    assert secrets.message.endswith(told)
