"""Counters are read around a step, also those that lag behind and those that cannot be read."""

import pytest

from harness.checks.scenarios.counting import Counters
from harness.checks.scenarios.evidence import Exchange
from harness.checks.scenarios.scenario import Rule
from harness.checks.scenarios.settings import CounterSettings
from harness.config.auth import AuthSettings
from harness.credentials import Credentials

NONE = {"inferences": Rule(equals=0)}
SETTINGS = {"inferences": CounterSettings(path="/metrics", metric="n_total", inferences=True)}


class Scrapes:
    """Answers one text after the other, the last one for ever."""

    def __init__(self, *texts, status=200):
        self.texts = list(texts)
        self.status = status

    def send(self, _requests, **_):
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        return [Exchange(sent_s=0, elapsed_s=0, status=self.status, body=text)]


def counters_of(*texts, status=200):
    return Counters(SETTINGS, Scrapes(*texts, status=status), Credentials(AuthSettings(), {}))


def rose(counters, *, refused=True):
    counters.before(NONE)
    (rise,) = counters.after(NONE, refused=refused)
    return rise


@pytest.mark.parametrize(
    ("before", "after", "rise"),
    [("n_total 3", "n_total 3", 0), ("n_total 3", "n_total 4", 1), ("", 'n_total{a="b"} 1\nn_total 2', 3)],
)
def test_a_rise(before, after, rise):
    reads = [before, before] if before else [before]  # nothing that stands still is waited for
    assert rose(counters_of(*reads, after)).rose == rise


def test_what_is_still_counting_is_waited_for():
    """Answers before the step are counted late: that is not the step's."""
    assert rose(counters_of("n_total 1", "n_total 2", "n_total 3", "n_total 3", "n_total 3")).rose == 0


def test_what_is_counted_after_a_refused_step_shows_in_the_next():
    counters = counters_of("n_total 3", "n_total 3", "n_total 3", "n_total 4")
    assert rose(counters).rose == 0
    assert rose(counters).rose == 1


@pytest.mark.parametrize(
    ("text", "status", "problem"),
    [
        ("n_total 1", 500, "GET /metrics: status 500"),
        ("n_total {", 200, "not in the Prometheus text format"),
        ("other_total 1", 200, "there is no n_total"),
    ],
)
def test_what_cannot_be_read_is_said(text, status, problem):
    rise = rose(counters_of(text, status=status))
    assert rise.rose is None
    assert problem in rise.problem


class Replicas:
    """Each exposes a text of its own."""

    def __init__(self, *texts):
        self.texts = texts

    def send(self, requests, *, replicas, **_):
        assert len(requests) == len(replicas)
        return [Exchange(sent_s=0, elapsed_s=0, status=200, body=self.texts[each]) for each in replicas]


def test_replicas_are_added_up():
    sender = Replicas("n_total 3", "n_total 1", "")
    counters = Counters(SETTINGS, sender, Credentials(AuthSettings(), {}), replicas=3)
    counters.before(NONE)
    sender.texts = ("n_total 3", "n_total 2", "")
    (rise,) = counters.after(NONE, refused=True)
    assert rise.rose == 1
    sender.texts = ("n_total 3", "n_total 2", "secret")
    assert "secret" in counters.texts()["/metrics"]
