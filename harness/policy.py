"""The verdict. Nothing else decides."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from harness.checks.lifecycle.target import CHECK_ID
from harness.config.policy import PolicySettings
from harness.errors import ExitCode
from harness.model import (
    Capability,
    CheckResult,
    Decision,
    ErrorKind,
    Family,
    Finding,
    Outcome,
    Reason,
    Verdict,
)


@dataclass(frozen=True)
class Expected:
    """A check that has to have a result."""

    check_id: str
    required: bool


def is_required(family: Family, policy: PolicySettings, only: Collection[Family]) -> bool:
    """Whether there is no promote without a family: the policy says so, or ``--only`` asked for it."""
    return family in policy.required or family in only


def selected(only: Collection[Family], skip: Collection[Family]) -> frozenset[Family]:
    """The families that ``--only`` (empty keeps all) and ``--skip`` leave."""
    return frozenset(family for family in Family if (not only or family in only) and family not in skip)


def silent(
    checked: Collection[Family], *, only: Collection[Family], skip: Collection[Family]
) -> tuple[Family, ...]:
    """Selected families that nothing is checked of; the runner itself checks the lifecycle in every run."""
    return tuple(sorted(selected(only, skip) - {*checked, Family.LIFECYCLE}, key=list(Family).index))


def unused_waivers(
    results: Iterable[CheckResult],
    policy: PolicySettings,
    *,
    only: Collection[Family],
    skip: Collection[Family],
) -> tuple[str, ...]:
    """Findings that the policy waives and the run does not have: mended, misspelt, or of another change."""
    found = {finding.id for result in results for finding in result.findings}
    left_out = frozenset(Family) - selected(only, skip)
    return tuple(
        waiver.finding
        for waiver in policy.waivers
        if waiver.finding not in found and waiver.finding.partition(".")[0] not in left_out
    )


def decide(
    results: Sequence[CheckResult],
    expected: Iterable[Expected],
    policy: PolicySettings,
    *,
    undeclared: Iterable[Family] = (),
) -> Verdict:
    """Reject if a required check failed; else promote only if every required check passed; else inconclusive.

    Args:
        results: What the run found.
        expected: What the plan said it would find; a required one that is missing forbids a promote.
        policy: Which absences are allowed.
        undeclared: Required families of which the suite declares nothing.
    """
    by_id = {result.id: result for result in results}
    required = [result for result in results if result.required]
    failures = [reason for result in required for reason in _failures(result)]
    doubts = [reason for result in required for reason in _doubts(result, policy)]
    doubts += [
        Reason(check_id=item.check_id, finding_id="", message="required, but it has no result")
        for item in expected
        if item.required and item.check_id not in by_id
    ]
    doubts += [
        Reason(
            check_id=family.value, finding_id="", message=f"required, but the suite has no [{family.value}]"
        )
        for family in undeclared
    ]
    # That it starts and lives earns nothing: no question was asked.
    asked = [result for result in required if result.id != CHECK_ID]
    if not failures and not any(result.outcome in {Outcome.PASS, Outcome.WARN} for result in asked):
        doubts.append(Reason(check_id="", finding_id="", message="no required check passed"))
    if failures:
        return Verdict(decision=Decision.REJECT, reasons=(*failures, *doubts))
    if doubts:
        return Verdict(decision=Decision.INCONCLUSIVE, reasons=tuple(doubts))
    return Verdict(decision=Decision.PROMOTE)


def exit_code(decision: Decision, results: Iterable[CheckResult]) -> ExitCode:
    """What the process exits with; the cause of an inconclusive run tells its code."""
    match decision:
        case Decision.PROMOTE:
            return ExitCode.PROMOTE
        case Decision.REJECT:
            return ExitCode.REJECT
        case Decision.INCONCLUSIVE:
            kinds = {result.error.kind for result in results if result.required and result.error is not None}
            if ErrorKind.HARNESS in kinds:
                return ExitCode.CRASH
            if ErrorKind.INFRASTRUCTURE in kinds:
                return ExitCode.INFRASTRUCTURE
            return ExitCode.INCONCLUSIVE
        case _:
            assert_never(decision)


def _failures(result: CheckResult) -> list[Reason]:
    if result.outcome is not Outcome.FAIL:
        return []
    failed = [finding for finding in result.findings if finding.outcome is Outcome.FAIL]
    return [_reason(result, finding) for finding in failed] or [_reason(result)]


def _doubts(result: CheckResult, policy: PolicySettings) -> list[Reason]:
    match result.outcome:
        case Outcome.FAIL:
            return []
        case Outcome.PASS | Outcome.WARN:
            return [
                _reason(result, finding)
                for finding in result.findings
                if finding.outcome is Outcome.NOT_APPLICABLE and not _allowed(finding.missing, policy)
            ]
        case Outcome.NOT_APPLICABLE:
            allowed = [result.missing] if result.missing else [finding.missing for finding in result.findings]
            return (
                [] if allowed and all(_allowed(missing, policy) for missing in allowed) else [_reason(result)]
            )
        case Outcome.SKIP | Outcome.INCONCLUSIVE | Outcome.ERROR:
            doubtful = [finding for finding in result.findings if finding.outcome is result.outcome]
            return [_reason(result, finding) for finding in doubtful] or [_reason(result)]
        case _:
            assert_never(result.outcome)


def _allowed(missing: Capability | None, policy: PolicySettings) -> bool:
    return missing is not None and missing in policy.allow_not_applicable


def _reason(result: CheckResult, finding: Finding | None = None) -> Reason:
    if finding is not None:
        return Reason(check_id=result.id, finding_id=finding.id, message=finding.message)
    message = result.error.message if result.error else result.reason or result.outcome.value
    return Reason(check_id=result.id, finding_id="", message=message)
