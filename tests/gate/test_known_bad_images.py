"""Each known-bad image is rejected for its own fault and for no other; a benign one is promoted.

A fault is a folder under ``faults/``: ``fault.py`` patches the service from outside, or the lines ``image``
of ``fault.toml`` change its image. ``fault.toml`` says what the fault does, its family, for each check that
has to fail how the ids of its failed findings begin (those of other families where the whole gate runs),
and how those begin that ``may_also_fail``. A fault of the latency may be ``undecided`` "where not measured":
after more tries, and only if the measurement itself was not valid; without that key it is rejected on any
machine.
One that is ``seen_elsewhere``, by whatever asks often enough, is gated by its own family alone.
It is a fault of the service of its ``artifact``, by default the first one, and gated by the suite of that,
with what its own ``suite`` adds to it.
One that is ``slow`` is left to the slow tests.

A folder under ``benign/`` is a near miss of a family's faults: ``benign.py``, and ``benign.toml`` with the
same keys, and in place of what catches it the checks that it is ``near``.
"""

import tomllib
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.config.suite import load_suite
from harness.model import Decision, Family, Outcome

pytestmark = pytest.mark.engine

FAULTS = {
    path.parent: tomllib.loads(path.read_text())
    for path in sorted(Path(__file__).with_name("faults").glob("*/fault.toml"))
}
ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = "breast-cancer", "digits"
LATENCY = f"{Family.LATENCY}."
VALIDITY = (".generator_lag", ".generator_hiccup", ".cpu_steal", ".reference_drift")
QUICK = frozenset({Family.CONTRACT, Family.GOLDEN})
TWO_MINUTES_S = 120
MORE_TRIES = 2
LEAST_FAULTS, LEAST_BENIGN = 4, 2
BENIGN = {
    path.parent: tomllib.loads(path.read_text())
    for path in sorted(Path(__file__).with_name("benign").glob("*/benign.toml"))
}


def image_of(folder, declared):
    marks = [pytest.mark.slow] if declared.get("slow") else []
    return pytest.param((folder, declared), id=folder.name, marks=marks)


@pytest.fixture(params=[image_of(*each) for each in FAULTS.items()])
def fault(request):
    """Folder and declaration."""
    return request.param


@pytest.fixture
def faulty(fault, overlay):
    """The image with the fault."""
    folder, declared = fault
    return overlay(folder, declared.get("artifact", FIRST), declared.get("image", ()))


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
    return declared.get("undecided") == "where not measured" and not measured(report)


def assert_rejected_for(report, declared):
    """Rejected by exactly the declared checks and findings, all others passed; if undecided, not promoted.

    Checks of other families are expected where the whole gate ran.
    """
    undecided = undecided_latency(report)
    expected = {
        check: tuple(ids)
        for check, ids in declared["caught_by"].items()
        if not report.partial or check.startswith(f"{declared['family']}.")
    }
    if undecided & set(expected) and may_be_undecided(report, declared):
        assert report.decision is Decision.INCONCLUSIVE
        return
    failed = failed_findings(report)
    allowed = (*(prefix for ids in expected.values() for prefix in ids), *declared.get("may_also_fail", ()))
    assert [id_ for ids in failed.values() for id_ in ids if not id_.startswith(allowed)] == []
    for check, prefixes in expected.items():
        found = failed.get(check, ())
        assert [each for each in prefixes if not any(id_.startswith(each) for id_ in found)] == [], failed
    others = {result.id: result.outcome for result in report.checks if result.id not in failed}
    assert {check for check, outcome in others.items() if outcome is not Outcome.PASS} == undecided, others
    assert report.decision is Decision.REJECT
    assert {reason.check_id for reason in report.reasons} == set(failed) | undecided


def undecided_report(declared, *findings):
    """What a judge leaves that rejects nothing: the checks that had to fail are inconclusive."""
    checks = [
        SimpleNamespace(id=check, outcome=Outcome.INCONCLUSIVE, findings=findings)
        for check in declared["caught_by"]
    ]
    reasons = [SimpleNamespace(check_id=check.id) for check in checks]
    return SimpleNamespace(checks=checks, decision=Decision.INCONCLUSIVE, reasons=reasons, partial=True)


def test_a_judge_that_never_rejects_a_latency_is_found_out():
    late = SimpleNamespace(id="latency.paired.generator_lag", outcome=Outcome.INCONCLUSIVE)
    unclear = SimpleNamespace(id="latency.paired.p99.ratio", outcome=Outcome.INCONCLUSIVE)
    for declared in (each for each in FAULTS.values() if each["family"] == Family.LATENCY):
        assert declared.get("undecided", "where not measured") == "where not measured"
        with pytest.raises(AssertionError):
            assert_rejected_for(undecided_report(declared, unclear), declared)
        if "undecided" in declared:
            assert_rejected_for(undecided_report(declared, unclear, late), declared)


def test_every_required_family_has_known_bad_images_and_near_misses():
    required = set(load_suite(ROOT / "gate.toml").config.policy.required)
    bad, benign = (Counter(each["family"] for each in kind.values()) for kind in (FAULTS, BENIGN))
    assert set(bad) == set(benign) == required
    assert min(bad.values()) >= LEAST_FAULTS, bad
    assert min(benign.values()) >= LEAST_BENIGN, benign
    assert {each["family"] for each in FAULTS.values() if not each.get("slow")} == required
    assert all(each["does"] for each in (*FAULTS.values(), *BENIGN.values()))


def decided(gate_image, image, **request):
    """A gate of the image; one that this machine left undecided is made again, as its report advises."""
    report = gate_image(image, **request)
    for _ in range(MORE_TRIES):
        if not undecided_latency(report):
            break
        report = gate_image(image, **request)
    return report


def asked(declared, names):
    """The checks of its family that it is about; the whole gate asks what else there is."""
    family = Family(declared["family"])
    of_family = frozenset(name for name in names if name.startswith(f"{family}."))
    return {"only": frozenset({family}), "checks": of_family, **suite_for(declared)}


def suite_for(declared):
    """What it is gated by."""
    return {"artifact": declared.get("artifact", FIRST), "more": declared.get("suite", "")}


def test_its_own_family_catches_it(fault, faulty, gate_image):
    _, declared = fault
    report = decided(gate_image, faulty, **asked(declared, declared["caught_by"]))
    assert report.partial
    assert_rejected_for(report, declared)


@pytest.mark.slow
def test_the_whole_gate_catches_it_and_only_it(fault, faulty, gate_image):
    _, declared = fault
    if declared.get("seen_elsewhere"):
        pytest.skip("other families see it too")
    report = decided(gate_image, faulty, **suite_for(declared))
    assert not report.partial
    assert_rejected_for(report, declared)


@pytest.mark.parametrize("change", [image_of(*each) for each in BENIGN.items()])
def test_a_benign_change_is_promoted_by_its_own_family(change, overlay, gate_image):
    folder, declared = change
    image = overlay(folder, declared.get("artifact", FIRST), declared.get("image", ()))
    report = decided(gate_image, image, **asked(declared, declared["near"]))
    assert_promoted(report)


@pytest.mark.slow
@pytest.mark.parametrize("change", [image_of(*each) for each in BENIGN.items()])
def test_a_benign_change_is_promoted_by_the_whole_gate(change, overlay, gate_image):
    folder, declared = change
    image = overlay(folder, declared.get("artifact", FIRST), declared.get("image", ()))
    report = gate_image(image, **suite_for(declared))
    assert_promoted(report)
    if report.decision is Decision.PROMOTE:
        assert report.duration_s < TWO_MINUTES_S, {check.id: check.duration_s for check in report.checks}


def assert_promoted(report):
    """Promoted by every check, but for a latency that this machine was too busy to tell."""
    assert failed_findings(report) == {}
    if undecided := undecided_latency(report):
        # Where nothing else was asked, a reason of no check says that nothing passed.
        assert {reason.check_id for reason in report.reasons} - {""} == undecided
    else:
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
