"""Which results a stored run has to have: never told by the results that it has."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from harness import rejudge as module
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.model import (
    CheckResult,
    Decision,
    Environment,
    Family,
    Outcome,
    PolicyRecord,
    Report,
    Scope,
    TargetDescription,
)
from harness.rejudge import expected_of


@pytest.fixture
def report(suite):
    """Of a URL, without any result."""

    def build(**fields):
        return Report(
            run_id="r",
            started_at="2026-11-22T00:00:00Z",
            finished_at="2026-11-22T00:00:01Z",
            duration_s=1.0,
            decision=Decision.PROMOTE,
            reasons=(),
            partial=False,
            suite="tiny",
            policy=PolicyRecord(path="gate.toml", sha256=suite.sha256, content=suite.text),
            seed=0,
            harness_version="0",
            environment=Environment(
                engine=None, cpu="", cores=1, memory_bytes=1, kernel="", python="", packages={}
            ),
            validity={},
            **{
                "scope": Scope.URL,
                "candidate": TargetDescription(kind=Scope.URL),
                "reference": None,
                "order": (),
                "checks": (),
                **fields,
            },
        )

    return build


def required(report, suite):
    return {item.check_id for item in expected_of(report, suite) if item.required}


def test_what_the_policy_requires_is_expected_without_any_result(suite, report):
    names = {item.check_id for item in expected_of(report(), suite)}
    assert "golden.single" in required(report(), suite)
    assert "latency.paired" in names - required(report(), suite)


def test_what_the_command_line_left_out_is_not_expected(suite, report):
    assert required(report(skip=(Family.GOLDEN,)), suite) == set()
    assert required(report(only=(Family.LATENCY,)), suite) == {"latency.paired"}
    assert required(report(only_checks=("golden.batch",)), suite) == set()


def test_of_a_replay_only_the_replay_is_expected(suite, report):
    text = suite.text + '[fuzz]\nopenapi = "openapi.json"\n'
    fuzzed = parse_suite(text, suite.path)
    assert required(report(replay={"a": "b"}, only=(Family.FUZZ,)), fuzzed) == {"fuzz.replay"}


def test_what_the_run_planned_is_expected_though_the_policy_plans_it_no_more(suite, report):
    without = replace(suite, config=suite.config.model_copy(update={"golden": None}))
    assert required(report(order=("golden.single", "of.another.version")), without) == {
        "golden.single",
        "of.another.version",
    }


@pytest.mark.parametrize(("name", "expected"), [("golden.single", True), ("image.config", False)])
def test_who_asked_a_candidate_had_started_one(suite, report, name, expected):
    family = Family(name.partition(".")[0])
    result = CheckResult(
        id=name,
        family=family,
        required=True,
        outcome=Outcome.PASS,
        reason="",
        expected=1,
        executed=1,
        duration_s=1.0,
        settings_sha256="a",
        findings=(),
        reproduce="",
        evidence_files={f"{name}/evidence.json": "0"},
    )
    assert ("lifecycle.target" in required(report(checks=(result,)), suite)) is expected


def test_a_report_of_no_day_is_refused(report, monkeypatch):
    stored = report().model_copy(update={"started_at": "2026-13-41T00:00:00Z"})
    monkeypatch.setattr(module, "load_report", lambda _: stored)
    with pytest.raises(ConfigError, match=r"^r\.json: started_at: not the time at which a run began"):
        module.rejudge(Path("r.json"), None, today=date(2026, 11, 22))


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.NOT_APPLICABLE])
def test_a_result_that_no_evidence_stands_behind_promotes_nothing(report, tmp_path, outcome):
    missing = "reference" if outcome is Outcome.NOT_APPLICABLE else None  # golden.single needs none
    result = CheckResult(
        id="golden.single",
        family=Family.GOLDEN,
        required=True,
        outcome=outcome,
        missing=missing,
        reason="",
        expected=1,
        executed=1,
        duration_s=1.0,
    )
    path = tmp_path / "r.json"
    path.write_text(report(checks=(result,)).model_dump_json(), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"checks\.golden\.single\.outcome.*nothing was collected"):
        module.rejudge(path, None, today=date(2026, 11, 22))


@pytest.mark.parametrize(("device", "warmup"), [("cpu", 100), ("gpu", 500)])
def test_a_stored_run_is_judged_by_what_holds_on_its_device(suite, report, monkeypatch, device, warmup):
    text = suite.text.partition("[latency")[0] + (
        '[latency]\nrequest = { path = "/" }\n[latency.gpu]\nwarmup_requests = 500\n'
    )
    policy = PolicyRecord(path="gate.toml", sha256=hashlib.sha256(text.encode()).hexdigest(), content=text)
    stored = report(candidate=TargetDescription(kind=Scope.CONTAINER, device=device)).model_copy(
        update={"policy": policy}
    )
    seen = []
    monkeypatch.setattr(module, "load_report", lambda _: stored)
    monkeypatch.setattr(module, "verify_evidence", lambda *_: None)
    monkeypatch.setattr(module, "_planned", lambda _, suite: seen.append(suite.config.latency) or ())
    module.rejudge(Path("r.json"), None, today=date(2026, 11, 22))
    assert {settings.warmup_requests for settings in seen} == {warmup}
