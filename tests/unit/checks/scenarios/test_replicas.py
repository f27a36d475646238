"""Steps that choose a replica, and do something to what stands beside the service."""

import dataclasses

import pytest

from harness.checks.scenarios import check
from harness.checks.scenarios.check import RateScenarios
from harness.checks.scenarios.evidence import Exchange
from harness.config.suite import load_suite
from harness.model import Outcome, Scope, TargetDescription
from harness.targets.log import LogSearch

VARIANT = """
[service.companions.store]
image = "store"
port = 1
[service.variants.replicated]
start_with = ["store"]
replicas = 2
"""
RATE = """
[[scenario]]
id = "beside"
title = "It holds"
service = "replicated"
[[scenario.steps]]
method = "GET"
path = "/x"
replica = "each"
repeat = 5
expect = { status = 200 }
[[scenario.steps]]
companion = { store = "pause" }
method = "GET"
path = "/x"
replica = 1
expect = { status = 200 }
"""


class Store:
    """Keeps what was done to it."""

    def __init__(self, happened):
        self._happened = happened

    def act(self, action):
        self._happened.append(action)


@pytest.fixture
def happened(monkeypatch):
    """What is sent to which replica, and done to the store, in order."""
    events = []

    class Sender:
        def __init__(self, base_urls, *_):
            self._base_urls = base_urls

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def send(self, requests, *, started_s, replicas=(), **_):
            del started_s
            if requests[0].path == "/x":
                events.extend(self._base_urls[replica] for replica in replicas)
            return [
                Exchange(sent_s=0, elapsed_s=0.1, status=200, body="predictions_total 0") for _ in requests
            ]

    monkeypatch.setattr(check, "Sender", Sender)
    return events


def play(context_for, folder, happened, kind):
    gate = folder / "gate.toml"
    gate.write_text(gate.read_text() + VARIANT)
    (folder / "rate_limit.toml").write_text(RATE)
    context = context_for("http://first")
    endpoint = dataclasses.replace(context.candidate, companions={"store": Store(happened)})

    class Replicated:
        description = TargetDescription(kind=kind, url="http://first")
        base_urls = ("http://first", "http://second")
        base_url = "http://first"
        companions = endpoint.companions

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def alive(self):
            return True

        def search_log(self, holds):
            return LogSearch(holds(""), whole=True)

    described = dataclasses.replace(endpoint, description=TargetDescription(kind=kind, url="http://first"))
    context = dataclasses.replace(
        context, suite=load_suite(gate), candidate=described, start=lambda _variant: Replicated()
    )
    settings = context.suite.config.scenarios
    return RateScenarios().judge(RateScenarios().collect(context, settings), settings.limits)


def test_replicas_are_asked_in_turn_and_the_store_is_paused_before_its_step(context_for, folder, happened):
    findings = play(context_for, folder, happened, Scope.CONTAINER)
    assert findings[0].outcome is Outcome.PASS, findings
    first, second = "http://first", "http://second"
    assert happened == [first, second, first, second, first, "pause", second]


def test_a_process_has_none_so_it_is_not_applicable(context_for, folder, happened):
    (finding, *_) = play(context_for, folder, happened, Scope.PROCESS)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "has replicas or companions, which only containers have" in finding.message
    assert happened == []
