"""Each known-bad image is rejected for its own fault and for no other; a benign one is promoted.

What a fault and a benign change are, and which keys they have, is in ``harness/selftest/catalogue.py`` and
docs/selftest.md. Here each is gated as `harness selftest` does, and held to more by its own family: every
check passes that is not named, and nothing but a latency that was not measured is left undecided.
One that is ``slow`` is left to the slow tests.
"""

from collections import Counter
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.config.suite import load_suite
from harness.model import Decision, Family, Outcome
from harness.selftest.catalogue import load_catalogue
from harness.selftest.model import Kind, Result
from harness.selftest.outcome import Judged, is_any_of, of_fault

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "scenarios" / "selftest"
ENTRIES = load_catalogue(CATALOGUE)
FAULTS = tuple(entry for entry in ENTRIES if entry.kind is Kind.FAULT)
BENIGN = tuple(entry for entry in ENTRIES if entry.kind is Kind.BENIGN)
FIRST, SECOND = "breast-cancer", "digits"
LATENCY = f"{Family.LATENCY}."
NOT_MEASURED = "this machine was too busy to measure the latency"
VALIDITY = (".generator_lag", ".generator_hiccup", ".cpu_steal", ".reference_drift")
PROVEN_BY_DEFAULT = "contract_additions"
QUICK = frozenset({Family.CONTRACT, Family.GOLDEN})
TWO_MINUTES_S = 120
MORE_TRIES = 2
LEAST_FAULTS, LEAST_BENIGN = 4, 2
AGREES = {Decision.REJECT: {Result.KILLED}, Decision.INCONCLUSIVE: {Result.UNDECIDED}}


def image_of(entry):
    marks = [pytest.mark.slow] if entry.declared.slow else []
    return pytest.param(entry, id=entry.name, marks=marks)


@pytest.fixture(params=map(image_of, FAULTS))
def fault(request):
    """An entry of the catalogue."""
    return request.param


@pytest.fixture
def faulty(fault, overlay):
    """The image with the fault."""
    return overlay(fault)


def failed_findings(report):
    return {
        result.id: [finding.id for finding in result.findings if finding.outcome is Outcome.FAIL]
        for result in report.checks
        if result.outcome is Outcome.FAIL
    }


def undecided_latency(report):
    """The checks of the latency for which this machine was too busy to tell; all others always can."""
    return {
        result.id
        for result in report.checks
        if result.id.startswith(LATENCY) and result.outcome is Outcome.INCONCLUSIVE
    }


def measured(report):
    """Whether the latency was measured at all: not by a generator that was itself too late, for instance."""
    return not any(
        finding.id.startswith(LATENCY)
        and finding.id.endswith(VALIDITY)
        and finding.outcome is Outcome.INCONCLUSIVE
        for result in report.checks
        for finding in result.findings
    )


def may_be_undecided(report, declared):
    """Whether a verdict on the fault is missing for a reason that is not the judge's."""
    return declared.undecided == "where not measured" and not measured(report)


def assert_rejected_for(report, declared):
    """Its own family rejected it by exactly the declared checks and findings, all others of it passed.

    Skipped if not measured.
    """
    undecided = undecided_latency(report)
    expected = declared.expected(own_family=True)
    if undecided & set(expected) and may_be_undecided(report, declared):
        assert report.decision is Decision.INCONCLUSIVE
        pytest.skip(NOT_MEASURED)
    failed = failed_findings(report)
    allowed = (*(each for ids in expected.values() for each in ids), *declared.may_also_fail)
    assert [id_ for ids in failed.values() for id_ in ids if not is_any_of(id_, allowed)] == []
    for check, ids in expected.items():
        found = failed.get(check, ())
        assert [each for each in ids if not any(is_any_of(id_, (each,)) for id_ in found)] == [], failed
    others = {result.id: result.outcome for result in report.checks if result.id not in failed}
    assert {check for check, outcome in others.items() if outcome is not Outcome.PASS} == undecided, others
    assert report.decision is Decision.REJECT
    assert {reason.check_id for reason in report.reasons} == set(failed) | undecided


def undecided_report(declared, *findings):
    """What a judge leaves that rejects nothing: the checks that had to fail are inconclusive."""
    checks = [
        SimpleNamespace(id=check, outcome=Outcome.INCONCLUSIVE, findings=findings)
        for check in declared.caught_by
    ]
    reasons = [SimpleNamespace(check_id=check.id) for check in checks]
    return SimpleNamespace(checks=checks, decision=Decision.INCONCLUSIVE, reasons=reasons)


def test_a_judge_that_never_rejects_a_latency_is_found_out():
    late = SimpleNamespace(id="latency.paired.generator_lag", outcome=Outcome.INCONCLUSIVE)
    unclear = SimpleNamespace(id="latency.paired.p99.ratio", outcome=Outcome.INCONCLUSIVE)
    for declared in (each.declared for each in FAULTS if each.declared.family is Family.LATENCY):
        with pytest.raises(AssertionError):
            assert_rejected_for(undecided_report(declared, unclear), declared)
        if declared.undecided:
            with pytest.raises(pytest.skip.Exception):
                assert_rejected_for(undecided_report(declared, unclear, late), declared)


def test_every_required_family_has_known_bad_images_and_near_misses():
    required = set(load_suite(ROOT / "gate.toml").config.policy.required)
    bad, benign = (Counter(each.declared.family for each in kind) for kind in (FAULTS, BENIGN))
    assert set(bad) == set(benign) == required
    assert min(bad.values()) >= LEAST_FAULTS, bad
    assert min(benign.values()) >= LEAST_BENIGN, benign
    assert {each.declared.family for each in FAULTS if not each.declared.slow} == required


def decided(gate_image, image, **request):
    """A gate of the image; one that this machine left undecided is made again, as its report advises."""
    report = gate_image(image, **request)
    for _ in range(MORE_TRIES):
        if not undecided_latency(report):
            break
        report = gate_image(image, **request)
    return report


def asked(entry, names):
    """The checks of its family that it is about; the whole gate asks what else there is."""
    family = entry.declared.family
    of_family = frozenset(name for name in names if name.startswith(f"{family}."))
    return {"only": frozenset({family}), "checks": of_family, "entry": entry}


def test_its_own_family_catches_it(fault, faulty, gate_image):
    report = decided(gate_image, faulty, **asked(fault, fault.declared.caught_by))
    assert report.partial
    assert_rejected_for(report, fault.declared)
    assert of_fault(fault.declared, report).result in AGREES[report.decision]


@pytest.mark.slow
def test_the_whole_gate_catches_it(fault, faulty, gate_image):
    """Whatever other families see of it besides."""
    gate = partial(decided, gate_image) if fault.declared.family is Family.LATENCY else gate_image
    report = gate(faulty, entry=fault)
    assert not report.partial
    judged = of_fault(fault.declared, report)
    if judged.result is Result.UNDECIDED and may_be_undecided(report, fault.declared):
        pytest.skip(NOT_MEASURED)
    assert judged == Judged(Result.KILLED)


def to_prove(entry):
    marks = () if entry.name == PROVEN_BY_DEFAULT else pytest.mark.slow
    return pytest.param(entry, id=entry.name, marks=marks)


@pytest.mark.parametrize("entry", [to_prove(entry) for entry in ENTRIES])
def test_its_probe_finds_it_and_not_in_the_healthy_image(entry, overlay, prove):
    proof = prove(entry, overlay(entry))
    assert proof.active, proof.said


@pytest.mark.slow
@pytest.mark.parametrize("entry", [each for each in ENTRIES if each.name == PROVEN_BY_DEFAULT])
def test_an_overlay_that_no_longer_changes_anything_is_found(entry, healthy, prove):
    proof = prove(entry, healthy(FIRST))
    assert (proof.active, proof.said.endswith("the entry does not")) == (False, True), proof.said


@pytest.mark.parametrize("change", map(image_of, BENIGN))
def test_a_benign_change_is_promoted_by_its_own_family(change, overlay, gate_image):
    report = decided(gate_image, overlay(change), **asked(change, change.declared.near))
    assert_promoted(report)


@pytest.mark.slow
@pytest.mark.parametrize("change", map(image_of, BENIGN))
def test_a_benign_change_is_promoted_by_the_whole_gate(change, overlay, gate_image):
    report = gate_image(overlay(change), entry=change)
    assert_promoted(report)
    assert report.duration_s < TWO_MINUTES_S, {check.id: check.duration_s for check in report.checks}


def assert_promoted(report):
    """Promoted by every check; skipped if that is left open by a latency alone, which was not measured."""
    assert failed_findings(report) == {}
    if undecided := undecided_latency(report):
        # Where nothing else was asked, a reason of no check says that nothing passed.
        assert {reason.check_id for reason in report.reasons} - {""} == undecided
        pytest.skip(NOT_MEASURED)
    assert (report.decision, report.reasons) == (Decision.PROMOTE, ())


def test_the_second_artifact_is_gated_by_its_own_suite(healthy, gate_image):
    report = gate_image(healthy(SECOND), artifact=SECOND, only=QUICK)
    assert (report.decision, report.reasons) == (Decision.PROMOTE, ())
    assert report.candidate.model.name == SECOND


@pytest.mark.slow
def test_the_second_artifact_is_promoted_by_the_whole_gate(healthy, gate_image):
    report = gate_image(healthy(SECOND), artifact=SECOND)
    assert not report.partial
    assert_promoted(report)


def test_another_artifact_is_not_promoted_by_a_suite(healthy, gate_image):
    report = gate_image(healthy(SECOND), artifact=FIRST, only=QUICK)
    assert report.decision is Decision.REJECT
    assert {"contract.openapi", "golden.single", "golden.batch"} <= set(failed_findings(report))
