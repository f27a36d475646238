import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest

from harness.checks.telemetry.exposition import Exposition
from harness.checks.telemetry.series import SeriesEvidence, SeriesSeen, TelemetrySeries
from harness.checks.telemetry.settings import SeriesSettings, TelemetryLimits
from harness.model import Outcome

COUNTER = SeriesSettings(type="counter", labels=("path", "status"))


def judged(**changes):
    evidence = SeriesEvidence(
        expected=25,
        executed=25,
        declared={"requests_total": COUNTER},
        seen={"requests_total": SeriesSeen(type="counter", labels=("path", "status"))},
        made_up=20,
        grown={"requests_total": 2},
        told=(),
    ).model_copy(update=changes)
    stored = SeriesEvidence.model_validate_json(evidence.model_dump_json())
    findings = TelemetrySeries().judge(stored, TelemetryLimits())
    return {finding.id.removeprefix("telemetry.series."): finding for finding in findings}


def wrong(findings):
    return {name for name, finding in findings.items() if finding.outcome is Outcome.FAIL}


def seen(kind="counter", labels=("path", "status")):
    return {"seen": {"requests_total": SeriesSeen(type=kind, labels=labels)}}


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, None),
        (seen(labels=("status", "path")), None),
        (seen(labels=None), None),
        ({"grown": {"requests_total": 10}}, None),
        ({"seen": {}}, "declared"),
        (seen("gauge"), "declared"),
        (seen(labels=("path", "status", "client")), "declared"),
        (seen(labels=("path",)), "declared"),
        ({"grown": {"requests_total": 20}}, "bounded"),
        ({"told": ("log",)}, "values"),
    ],
)
def test_each_disagreement_fails_its_own_finding(changes, finding):
    assert wrong(judged(**changes)) == ({finding} if finding else set())


def test_values_are_judged_only_where_marked_cases_were_asked():
    assert judged(told=None).keys() == {"declared", "bounded"}


def test_metrics_that_cannot_be_read_decide_nothing_of_themselves():
    found = judged(problem="GET /metrics: HTTP 500, expected 200", seen={}, grown={}, told=("log",))
    assert {name: finding.outcome for name, finding in found.items()} == {
        "declared": Outcome.INCONCLUSIVE,
        "bounded": Outcome.INCONCLUSIVE,
        "values": Outcome.FAIL,
    }


def test_a_log_that_may_have_been_cut_clears_nobody():
    assert judged(log_cut=True)["values"].outcome is Outcome.INCONCLUSIVE
    assert judged(log_cut=True)["declared"].outcome is Outcome.PASS
    assert judged(log_cut=True, told=("log",))["values"].outcome is Outcome.FAIL


@given(st.sets(st.sampled_from("abcdef")))
def test_metrics_are_told_by_the_names_they_are_exposed_with(values):
    registry = CollectorRegistry()
    made = {
        "asked_total": Counter("asked", "x", ("value",), registry=registry),
        "depth": Gauge("depth", "x", ("value",), registry=registry),
        "took_seconds": Histogram("took_seconds", "x", ("value",), registry=registry),
        "size": Summary("size", "x", ("value",), registry=registry),
    }
    for metric in made.values():
        for value in values:
            metric.labels(value)
    metrics = Exposition.parse(generate_latest(registry).decode()).metrics
    assert {name: metrics[name].type for name in made} == {
        "asked_total": "counter",
        "depth": "gauge",
        "took_seconds": "histogram",
        "size": "summary",
    }
    for name in made:
        assert metrics[name].series == len(values)
        assert metrics[name].labels == ({"value"} if values else set())
