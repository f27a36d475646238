"""Each known-bad image is rejected for its own fault and for no other; a benign one is promoted.

A fault is a folder under ``faults/``: ``fault.py`` patches the service from outside, ``fault.toml`` says what
it does, its family, and for each check that has to fail how the ids of its failed findings begin.
"""

import tomllib
from pathlib import Path

import pytest

from harness.model import Decision, Family, Outcome

pytestmark = pytest.mark.engine

FAULTS = sorted(path.parent for path in Path(__file__).with_name("faults").glob("*/fault.toml"))
BENIGN = sorted(path.parent for path in Path(__file__).with_name("benign").glob("*/fault.py"))


@pytest.fixture(params=FAULTS, ids=lambda folder: folder.name)
def fault(request):
    """Folder and declaration."""
    return request.param, tomllib.loads((request.param / "fault.toml").read_text())


def failed_findings(report):
    return {
        result.id: [finding.id for finding in result.findings if finding.outcome is Outcome.FAIL]
        for result in report.checks
        if result.outcome is Outcome.FAIL
    }


def not_measured(report):
    """Whether the latency check itself says that this machine was too busy to measure on.

    That check then decides nothing, by design; all others have to be as declared all the same.
    """
    latency = next((result for result in report.checks if result.id == "latency.paired"), None)
    return (
        latency is not None
        and latency.outcome is Outcome.INCONCLUSIVE
        and any(
            finding.outcome is Outcome.INCONCLUSIVE
            for finding in latency.findings
            if finding.id in ("latency.paired.generator_lag", "latency.paired.reference_drift")
        )
    )


def assert_rejected_for(report, declared):
    """Rejected by exactly the declared checks and findings; all others passed."""
    measured = {result.id for result in report.checks} - (
        {"latency.paired"} if not_measured(report) else set()
    )
    expected = {check: tuple(ids) for check, ids in declared["caught_by"].items() if check in measured}
    failed = failed_findings(report)
    assert set(failed) == set(expected), failed
    for check, prefixes in expected.items():
        assert [finding for finding in failed[check] if not finding.startswith(prefixes)] == []
        assert [each for each in prefixes if not any(id_.startswith(each) for id_ in failed[check])] == []
    others = {result.id: result.outcome for result in report.checks if result.id in measured - set(expected)}
    assert set(others.values()) <= {Outcome.PASS}, others
    assert report.decision is (Decision.REJECT if expected else Decision.INCONCLUSIVE)
    assert {reason.check_id for reason in report.reasons if reason.check_id in measured} == set(expected)


def test_every_family_has_a_known_bad_image():
    declared = [tomllib.loads((folder / "fault.toml").read_text()) for folder in FAULTS]
    assert {each["family"] for each in declared} == {"contract", "golden", "fuzz", "scenarios", "latency"}
    assert all(each["does"] for each in declared)


def test_its_own_family_catches_it(fault, overlay, gate_image):
    folder, declared = fault
    report = gate_image(overlay(folder), only=frozenset({Family(declared["family"])}))
    assert report.partial
    assert_rejected_for(report, declared)


@pytest.mark.slow
def test_the_whole_gate_catches_it_and_only_it(fault, overlay, gate_image):
    folder, declared = fault
    report = gate_image(overlay(folder))
    assert not report.partial
    assert_rejected_for(report, declared)


@pytest.mark.parametrize("folder", BENIGN, ids=lambda folder: folder.name)
def test_a_benign_change_is_promoted(folder, overlay, gate_image):
    quick = frozenset({Family.CONTRACT, Family.GOLDEN, Family.SCENARIOS})
    report = gate_image(overlay(folder), only=quick)
    assert (report.decision, report.reasons) == (Decision.PROMOTE, ())


@pytest.mark.slow
@pytest.mark.parametrize("folder", BENIGN, ids=lambda folder: folder.name)
def test_a_benign_change_is_promoted_by_the_whole_gate(folder, overlay, gate_image):
    report = gate_image(overlay(folder))
    assert failed_findings(report) == {}
    if not not_measured(report):
        assert (report.decision, report.reasons) == (Decision.PROMOTE, ())
