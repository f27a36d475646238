"""The verdict: promotion is earned, a failure stands, and no path leads from nothing to promote."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.config.policy import PolicySettings, Waiver
from harness.errors import ExitCode
from harness.model import Capability, CheckError, CheckResult, Decision, ErrorKind, Family, Finding, Outcome
from harness.policy import Expected, decide, exit_code, is_required, silent, unused_waivers

POLICY = PolicySettings()


def result(
    outcome,
    *,
    name="golden.single",
    family=Family.GOLDEN,
    required=True,
    findings=(),
    missing=None,
    error=None,
):
    return CheckResult(
        id=name,
        family=family,
        required=required,
        outcome=outcome,
        expected=1,
        executed=1,
        duration_s=0,
        findings=findings,
        missing=missing,
        error=error,
    )


def expected(*results):
    return [Expected(each.id, each.required) for each in results]


def verdict(*results, planned=None, policy=POLICY):
    return decide(results, expected(*results) if planned is None else planned, policy)


def test_all_required_checks_passing_promotes():
    assert (
        verdict(result(Outcome.PASS), result(Outcome.WARN, name="golden.batch")).decision is Decision.PROMOTE
    )


@pytest.mark.parametrize(
    "outcome", [Outcome.SKIP, Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.NOT_APPLICABLE]
)
def test_a_required_check_without_a_pass_is_inconclusive_and_says_which(outcome):
    decided = verdict(result(Outcome.PASS), result(outcome, name="golden.batch"))
    assert decided.decision is Decision.INCONCLUSIVE
    assert [reason.check_id for reason in decided.reasons] == ["golden.batch"]


def test_a_failure_stands_beside_an_error():
    decided = verdict(result(Outcome.ERROR, name="a.a"), result(Outcome.FAIL, name="b.b"))
    assert decided.decision is Decision.REJECT
    assert decided.reasons[0].check_id == "b.b"


def test_a_required_check_that_is_missing_is_inconclusive():
    planned = [Expected("golden.single", required=True), Expected("fuzz", required=True)]
    decided = verdict(result(Outcome.PASS), planned=planned)
    assert decided.decision is Decision.INCONCLUSIVE
    assert decided.reasons[0].check_id == "fuzz"


def test_nothing_at_all_is_inconclusive():
    assert verdict().decision is Decision.INCONCLUSIVE


def test_that_it_starts_earns_no_promote():
    lifecycle = result(Outcome.PASS, name="lifecycle.target", family=Family.LIFECYCLE)
    optional = result(Outcome.FAIL, required=False)
    decided = verdict(lifecycle, optional)
    assert decided.decision is Decision.INCONCLUSIVE
    assert decided.reasons[0].message == "no required check passed"


def test_what_is_asked_of_its_lifecycle_does():
    drain = result(Outcome.PASS, name="lifecycle.drain", family=Family.LIFECYCLE)
    assert verdict(drain).decision is Decision.PROMOTE


def test_a_policy_requires_something():
    with pytest.raises(ValidationError, match="required"):
        PolicySettings(required=())


def test_what_only_asks_for_is_required():
    policy = PolicySettings(required=(Family.GOLDEN,))
    assert is_required(Family.GOLDEN, policy, ())
    assert not is_required(Family.FUZZ, policy, ())
    assert is_required(Family.FUZZ, policy, {Family.FUZZ})


def test_selected_families_without_a_check_are_silent_but_for_the_lifecycle():
    families = {Family.GOLDEN, Family.LIFECYCLE, Family.FUZZ}
    assert silent({Family.GOLDEN}, only=families, skip={Family.GOLDEN}) == (Family.FUZZ,)
    assert Family.LIFECYCLE not in silent((), only=(), skip=())


def test_a_waiver_without_a_finding_is_told_unless_its_family_was_left_out():
    waived = [
        Waiver(finding=name, owner="ana", reason="known", expires=date(2026, 6, 1))
        for name in ("golden.single.y", "golden.single.z", "fuzz.raw.nan")
    ]
    policy = PolicySettings(waivers=tuple(waived))
    failing = Finding(id="golden.single.y", outcome=Outcome.WARN, message="m")
    results = [result(Outcome.WARN, findings=(failing,))]
    assert unused_waivers(results, policy, only=(), skip=()) == ("golden.single.z", "fuzz.raw.nan")
    assert unused_waivers(results, policy, only=(), skip={Family.FUZZ}) == ("golden.single.z",)


def test_an_optional_failure_neither_rejects_nor_earns():
    optional = result(Outcome.FAIL, name="x.x", required=False)
    assert verdict(result(Outcome.PASS), optional).decision is Decision.PROMOTE
    assert verdict(optional).decision is Decision.INCONCLUSIVE


def test_not_applicable_is_allowed_only_for_a_capability_that_the_policy_names():
    lacking = result(Outcome.NOT_APPLICABLE, name="image.user", missing=Capability.CONTAINER)
    assert verdict(result(Outcome.PASS), lacking).decision is Decision.PROMOTE
    strict = PolicySettings(allow_not_applicable=())
    assert verdict(result(Outcome.PASS), lacking, policy=strict).decision is Decision.INCONCLUSIVE


def test_not_applicable_alone_earns_no_promote():
    lacking = result(Outcome.NOT_APPLICABLE, missing=Capability.CONTAINER)
    assert verdict(lacking).decision is Decision.INCONCLUSIVE


def test_a_passing_check_with_a_part_that_does_not_apply_needs_the_policy_too():
    part = Finding(
        id="latency.paired.p99.margin",
        outcome=Outcome.NOT_APPLICABLE,
        message="no reference",
        missing=Capability.REFERENCE,
    )
    passing = result(Outcome.PASS, findings=(part,))
    assert verdict(passing).decision is Decision.PROMOTE
    strict = PolicySettings(allow_not_applicable=())
    assert verdict(passing, policy=strict).decision is Decision.INCONCLUSIVE


def test_reasons_of_a_reject_name_each_failed_finding():
    bad = Finding(id="golden.single.label", outcome=Outcome.FAIL, message="3 labels differ")
    good = Finding(id="golden.single.probabilities", outcome=Outcome.PASS, message="fine")
    decided = verdict(result(Outcome.FAIL, findings=(good, bad)))
    assert [(reason.finding_id, reason.message) for reason in decided.reasons] == [
        ("golden.single.label", "3 labels differ")
    ]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ErrorKind.INFRASTRUCTURE, ExitCode.INFRASTRUCTURE),
        (ErrorKind.HARNESS, ExitCode.CRASH),
        (ErrorKind.NOTHING_CHECKED, ExitCode.INCONCLUSIVE),
    ],
)
def test_the_cause_of_an_inconclusive_run_tells_its_exit_code(kind, code):
    errored = result(Outcome.ERROR, error=CheckError(kind=kind, message="x"))
    assert exit_code(Decision.INCONCLUSIVE, [errored]) is code


def test_a_reject_keeps_its_exit_code_beside_an_infrastructure_error():
    errored = result(Outcome.ERROR, error=CheckError(kind=ErrorKind.INFRASTRUCTURE, message="x"))
    assert exit_code(Decision.REJECT, [errored]) is ExitCode.REJECT
    assert exit_code(Decision.PROMOTE, []) is ExitCode.PROMOTE


outcomes = st.sampled_from(list(Outcome))
checks = st.lists(st.tuples(outcomes, st.booleans(), st.sampled_from([None, *Capability])), max_size=8)


@given(checks)
def test_promote_only_if_every_required_check_passed_or_lawfully_does_not_apply(drawn):
    results = [
        result(outcome, name=f"c.{index}", required=required, missing=missing)
        for index, (outcome, required, missing) in enumerate(drawn)
    ]
    decided = verdict(*results)
    required = [each for each in results if each.required]
    passed = {Outcome.PASS, Outcome.WARN}
    lawful = all(
        each.outcome in passed or (each.outcome is Outcome.NOT_APPLICABLE and each.missing)
        for each in required
    )
    earned = any(each.outcome in passed for each in required)
    assert (decided.decision is Decision.PROMOTE) == (lawful and earned)
    assert (decided.decision is Decision.REJECT) == any(each.outcome is Outcome.FAIL for each in required)
    assert (decided.decision is Decision.PROMOTE) == (not decided.reasons)


@given(checks, st.integers(0, 7))
def test_taking_a_result_away_never_turns_into_a_promote(drawn, index):
    results = [
        result(outcome, name=f"c.{i}", required=required) for i, (outcome, required, _) in enumerate(drawn)
    ]
    if not results or not results[index % len(results)].required:
        return
    fewer = results[: index % len(results)] + results[index % len(results) + 1 :]
    assert decide(fewer, expected(*results), POLICY).decision is not Decision.PROMOTE
