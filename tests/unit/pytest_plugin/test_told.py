"""What the gate found, in pytest's terms."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import CheckError, CheckResult, ErrorKind, Family, Finding, Outcome, Report
from harness.pytest_plugin import told
from harness.pytest_plugin.asked import Offered, request

REPORT = Path("reports/run.json")
NEVER_PASSES = [Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.SKIP, Outcome.NOT_APPLICABLE]


def result(*findings, outcome=Outcome.FAIL, error=None):
    return CheckResult(
        id="golden.single",
        family=Family.GOLDEN,
        required=True,
        outcome=outcome,
        expected=1,
        executed=1,
        duration_s=0.1,
        error=error,
        findings=findings,
    )


@pytest.fixture
def of_check(monkeypatch):
    """A check as it is told; of the report around it only what the check says counts here."""
    monkeypatch.setattr(told, "summary", lambda _report, _path: [])
    return lambda checked: told.check(checked, Report.model_construct(), REPORT)


@pytest.mark.parametrize("outcome", NEVER_PASSES)
@pytest.mark.parametrize("kind", [None, *ErrorKind])
def test_only_a_pass_passes(outcome, kind):
    assert told.phase(outcome, kind) != "passed"


@pytest.mark.parametrize(
    ("outcome", "kind", "phase"),
    [
        (Outcome.PASS, None, "passed"),
        (Outcome.WARN, None, "passed"),
        (Outcome.FAIL, None, "failed"),
        (Outcome.ERROR, ErrorKind.CANDIDATE, "failed"),
        (Outcome.ERROR, ErrorKind.INFRASTRUCTURE, "error"),
        (Outcome.ERROR, ErrorKind.NOTHING_CHECKED, "error"),
        (Outcome.INCONCLUSIVE, None, "error"),
        (Outcome.SKIP, None, "skipped"),
    ],
)
def test_a_failure_speaks_against_the_candidate_and_an_error_does_not(outcome, kind, phase):
    assert told.phase(outcome, kind) == phase


def test_a_finding_tells_all_that_was_measured(of_check):
    finding = Finding(
        id="golden.single.y",
        outcome=Outcome.FAIL,
        message="too slow",
        observed=12.5,
        limit=10.0,
        unit="ms",
        samples=400,
        lower=11.0,
        confidence=0.99,
        evidence="golden.single/evidence.json",
        reproduce="harness run --only golden\ncurl http://127.0.0.1/",
    )
    (only,) = of_check(result(finding))["findings"]
    assert (only["name"], only["title"], only["phase"]) == ("y", "golden.single.y", "failed")
    assert only["text"].splitlines() == [
        "golden.single.y: too slow",
        "observed 12.5 ms, limit 10 ms, interval at least 11, confidence 0.99",
        "samples: 400",
        "evidence: reports/run/golden.single/evidence.json",
        "reproduce: harness run --only golden",
        "    | curl http://127.0.0.1/",
    ]
    assert dict(only["properties"])["interval"] == "at least 11"
    assert dict(only["properties"])["confidence"] == "0.99"


def test_a_check_without_a_judgement_says_why(of_check):
    error = CheckError(kind=ErrorKind.INFRASTRUCTURE, message="the engine is gone")
    checked = of_check(result(outcome=Outcome.ERROR, error=error))
    assert checked["phase"] == "error"
    assert "infrastructure error: the engine is gone" in checked["text"]


def test_a_check_that_was_left_out_says_so_in_a_line(of_check):
    left_out = result(outcome=Outcome.SKIP).model_copy(update={"reason": "the candidate had died"})
    assert of_check(left_out)["text"] == "golden.single: skip - the candidate had died"


hostile = st.text() | st.sampled_from(
    ["::error::hostile", "\n::stop-commands::x", "##[error]x", "\x1b[31mred", "a\u202eb", "]]>", "[x", "::"]
)


@given(hostile, hostile, hostile, st.floats() | hostile)
def test_what_a_candidate_wrote_acts_on_nobody(identifier, message, command, observed):
    finding = Finding(
        id=f"golden.single.{identifier}",
        outcome=Outcome.FAIL,
        message=message,
        observed=observed,
        limit=0.0,
        lower=-math.inf,
        reproduce=command,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(told, "summary", lambda _report, _path: [])
        checked = told.check(result(finding), Report.model_construct(), REPORT)
    assert json.loads(json.dumps(checked))
    (only,) = checked["findings"]
    assert only["name"]
    assert only["name"].isprintable()
    assert only["title"].isprintable()
    written = [checked["text"], only["text"], *dict(only["properties"]).values()]
    for line in "\n".join(written).splitlines():
        assert not line.startswith(("::error", "::stop", "##["))
        assert line.replace("\t", "").isprintable()


OFFERS = (
    Offered("golden.single", Family.GOLDEN, required=True),
    Offered("golden.batch", Family.GOLDEN, required=True),
    Offered("fuzz.schema", Family.FUZZ, required=True),
    Offered("lifecycle.target", Family.LIFECYCLE, required=True),
)
ALL = {offer.check_id for offer in OFFERS}


@pytest.mark.parametrize(
    ("asked", "kept", "families", "checks"),
    [
        ([], ALL, set(), set()),
        ([], {"golden.single"}, {Family.GOLDEN}, {"golden.single"}),
        ([], {"golden.single", "golden.batch"}, {Family.GOLDEN}, set()),
        ([], ALL - {"golden.batch"}, {Family.GOLDEN, Family.FUZZ}, {"golden.single"}),
        ([], ALL - {"lifecycle.target"}, {Family.GOLDEN, Family.FUZZ}, set()),
        ([], {"lifecycle.target"}, set(), set()),
        (["fuzz"], {"lifecycle.target"}, {Family.FUZZ}, set()),
        (["golden.single"], {"golden.single"}, {Family.GOLDEN}, {"golden.single"}),
    ],
)
def test_what_is_left_of_the_checks_is_what_is_gated(asked, kept, families, checks):
    options = {"gate_only": asked, "gate_candidate": "x", "gate_config": "gate.toml", "gate_out": "reports"}
    config = SimpleNamespace(getoption=options.get)
    offers = OFFERS if not asked else tuple(o for o in OFFERS if o.check_id in kept or o.family in asked)
    made = request(config, offers, kept)
    assert (made.only, made.checks) == (families, checks)
