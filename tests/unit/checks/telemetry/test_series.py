import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest

from harness.checks.telemetry.exposition import Exposition
from harness.checks.telemetry.series import SeriesEvidence, SeriesSeen, TelemetrySeries
from harness.checks.telemetry.settings import SeriesSettings, TelemetryLimits
from harness.config.suite import parse_suite
from harness.errors import ConfigError
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
        searched=5,
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


def test_values_pass_only_where_there_was_one_to_look_for():
    assert judged(searched=0)["values"].outcome is Outcome.INCONCLUSIVE
    assert judged(searched=1)["values"].outcome is Outcome.PASS
    assert judged(searched=0, told=("log",))["values"].outcome is Outcome.FAIL
    assert judged(searched=0)["bounded"].outcome is Outcome.PASS


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


SUITE = """
schema_version = 1
name = "m"
[service]
port = 1
ready_path = "/"
[golden]
path = "golden"
single = { path = "/predict", body = { x = "${input}" } }
outputs.label = { pointer = "/label", dtype = "string" }
[telemetry]
path = "/metrics"
request_id = "X-Request-ID"
marked_cases = 2
series.requests_total = { type = "counter", labels = [] }
"""
GOLDEN = """
schema_version = 1
[producer]
name = "test"
version = "1"
kind = "pipeline"
date = "2026-01-01"
environment = "python"
[model]
name = "m"
version = "1"
sha256 = "{sha256}"
[dataset]
name = "d"
sha256 = "{sha256}"
[cases]
file = "cases.jsonl"
sha256 = "{sha256}"
count = {count}
"""


def verified(folder, inputs):
    lines = [
        json.dumps({"id": f"c{index}", "input": value, "expected": {"label": "a"}})
        for index, value in enumerate(inputs)
    ]
    cases = "".join(f"{line}\n" for line in lines).encode()
    (folder / "golden").mkdir()
    (folder / "golden/cases.jsonl").write_bytes(cases)
    digest = hashlib.sha256(cases).hexdigest()
    (folder / "golden/golden.toml").write_text(GOLDEN.format(sha256=digest, count=len(inputs)))
    suite = parse_suite(SUITE, folder / "gate.toml")
    TelemetrySeries().verify_inputs(suite, suite.config.telemetry)


def test_cases_without_a_value_that_could_be_found_are_refused_before_anything_is_started(tmp_path):
    with pytest.raises(ConfigError, match=r"telemetry\.marked_cases.*no value that could be found"):
        verified(tmp_path, ["green", [1, 2]])


def test_one_case_with_a_value_that_can_be_found_is_enough(tmp_path):
    verified(tmp_path, ["green", {"x": 0.1234}])
