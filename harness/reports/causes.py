"""Why a verdict is what it is: each reason with how it stands, those that decided before those left open."""

from dataclasses import dataclass

from harness.model import Decision, Finding, Outcome, Reason, Report


@dataclass(frozen=True)
class Cause:
    """A reason and what the report knows of it.

    Attributes:
        outcome: The finding's, or else the check's; a check without a result is inconclusive.
        finding: None where the reason is the check as a whole.
    """

    reason: Reason
    outcome: Outcome
    finding: Finding | None


@dataclass(frozen=True)
class Causes:
    """All of them: ``deciding`` made the decision, ``besides`` alone would have forbidden a promote."""

    deciding: tuple[Cause, ...]
    besides: tuple[Cause, ...] = ()


def causes(report: Report) -> Causes:
    """The reasons in the report's order; only a reject has any besides."""
    every = tuple(_cause(report, reason) for reason in report.reasons)
    failed = tuple(cause for cause in every if cause.outcome is Outcome.FAIL)
    if report.decision is not Decision.REJECT or not failed:
        return Causes(every)
    return Causes(failed, tuple(cause for cause in every if cause.outcome is not Outcome.FAIL))


def finding_of(report: Report, reason: Reason) -> Finding | None:
    """The finding that a reason names; None where the reason is the check as a whole."""
    candidates = (
        finding
        for check in report.checks
        if check.id == reason.check_id
        for finding in check.findings
        if finding.id == reason.finding_id
    )
    return next(candidates, None)


def _cause(report: Report, reason: Reason) -> Cause:
    finding = finding_of(report, reason)
    if finding is not None:
        return Cause(reason, finding.outcome, finding)
    of_check = (check.outcome for check in report.checks if check.id == reason.check_id)
    return Cause(reason, next(of_check, Outcome.INCONCLUSIVE), None)
