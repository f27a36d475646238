"""A service that is not ours: gated by its own configuration alone."""

import os
from pathlib import Path

import pytest

from harness.gate import GateRequest, gate
from harness.model import Decision, Family, Outcome, Report

pytestmark = pytest.mark.engine

SUITE = Path(__file__).resolve().parents[2] / "suites" / "plain"
FAMILIES = {Family.CONTRACT, Family.GOLDEN, Family.FUZZ, Family.SCENARIOS, Family.LATENCY}


@pytest.fixture
def gate_plain(tmp_path, plain_image):
    def run(candidate, **request):
        request = GateRequest(
            candidate=candidate,
            reference=plain_image,
            config=SUITE / "gate.toml",
            out=tmp_path / "reports",
            **request,
        )
        return gate(request, os.environ, lambda _event: None)[0]

    return run


def outcomes(report, outcome):
    return {check.id for check in report.checks if check.outcome is outcome}


def test_it_is_promoted(gate_plain, plain_image):
    report = gate_plain(plain_image, skip=frozenset({Family.LATENCY}))
    assert (report.decision, report.reasons) == (Decision.PROMOTE, ())
    assert {check.family for check in report.checks} == FAMILIES - {Family.LATENCY} | {Family.LIFECYCLE}
    assert all(check.executed >= check.expected > 0 for check in report.checks)
    assert (report.candidate.model.name, report.candidate.model.version) == ("plain-score", "1.2.0")


@pytest.mark.slow
def test_its_latency_is_measured(gate_plain, plain_image):
    """Against itself nothing is worse; whether the machine is quiet enough to show it is not its fault."""
    report = gate_plain(plain_image, only=frozenset({Family.LATENCY}))
    assert outcomes(report, Outcome.FAIL) == set()
    assert outcomes(report, Outcome.ERROR) == set()
    latency = next(check for check in report.checks if check.family is Family.LATENCY)
    assert latency.executed >= latency.expected > 0
    assert report.decision in {Decision.PROMOTE, Decision.INCONCLUSIVE}


@pytest.mark.slow
def test_all_five_families_by_its_configuration_alone(run_harness, plain_image, tmp_path):
    """Only the latency may be undecided, where the machine is too busy to tell."""
    result = run_harness(
        *("run", "--config", SUITE / "gate.toml", "--candidate", plain_image, "--reference", plain_image),
        *("--out", tmp_path / "reports", "--json"),
        cwd=tmp_path,
        timeout=300,
    )
    report = Report.model_validate_json(result.stdout)
    assert not report.partial
    assert {check.family for check in report.checks} == FAMILIES | {Family.LIFECYCLE}
    assert all(check.executed >= check.expected > 0 for check in report.checks)
    undecided = {check.id for check in report.checks if check.outcome is not Outcome.PASS}
    assert undecided <= {"latency.paired"}
    assert report.decision is (Decision.INCONCLUSIVE if undecided else Decision.PROMOTE), report.reasons


def test_another_weight_is_rejected_by_golden_alone(gate_plain, plain_image, build_image):
    lines = 'FROM ${BASE}\nUSER 0:0\nRUN sed -i "s/2\\.1/2.1000001/" /srv/weights.json\nUSER 10001:10001\n'
    broken = build_image("plain-weight", lines, base=plain_image)
    report = gate_plain(broken, skip=frozenset({Family.LATENCY, Family.FUZZ}))
    assert report.decision is Decision.REJECT
    assert outcomes(report, Outcome.FAIL) == {"golden.single", "golden.batch"}
    assert {reason.finding_id for reason in report.reasons} == {"golden.single.score", "golden.batch.score"}
