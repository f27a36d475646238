"""What a gate's report means for the entry that was gated; pure.

A fault counts as killed only if the gate rejected it, every check failed that was named beforehand, each with
the findings that were, nothing else of its family failed, and it did not die. What rejects it otherwise may
let the next such fault pass. What other families see of it besides, where they are asked, is no such chance.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import assert_never

from harness.model import CheckResult, Decision, ErrorKind, Family, Outcome, Report
from harness.selftest.catalogue import BenignSettings, FaultSettings
from harness.selftest.model import Result

_OURS = frozenset({ErrorKind.HARNESS, ErrorKind.INFRASTRUCTURE})
_PASSED = frozenset({Outcome.PASS, Outcome.WARN})
_UNDECIDED = frozenset({Outcome.INCONCLUSIVE, Outcome.ERROR, Outcome.SKIP})
_MOST_NAMED = 5


@dataclass(frozen=True)
class Judged:
    """A result, and a line that says why where it is not as it should be."""

    result: Result
    why: str = ""


def of_entry(declared: FaultSettings | BenignSettings, report: Report) -> Judged:
    """The result of an entry of the catalogue."""
    if isinstance(declared, FaultSettings):
        return of_fault(declared, report)
    return of_benign(report)


def of_fault(declared: FaultSettings, report: Report) -> Judged:
    """Whether the declared checks killed it; a partial report is of its own family."""
    expected = expected_of(declared, report)
    failed = failed_findings(report)
    match report.decision:
        case Decision.PROMOTE:
            return Judged(Result.SURVIVED, "it was promoted")
        case Decision.INCONCLUSIVE:
            return _not_rejected(report, expected)
        case Decision.REJECT:
            pass
        case _:
            assert_never(report.decision)
    allowed = (*(each for ids in expected.values() for each in ids), *declared.may_also_fail)
    telling = {check: ids for check, ids in failed.items() if declared.is_told_by(check)}
    strangers = [found for ids in telling.values() for found in ids if not is_any_of(found, allowed)]
    strangers += [check for check, ids in telling.items() if not ids]
    if strangers:
        return Judged(Result.WRONG_REASON, f"it failed besides: {_named(strangers)}")
    missed = {
        each: check
        for check, ids in expected.items()
        for each in ids
        if not any(is_any_of(found, (each,)) for found in failed.get(check, ()))
    }
    if not missed:
        return Judged(Result.KILLED)
    told = f"it did not fail: {_named(missed)}"
    if set(missed.values()) <= undecided_checks(report):
        return Judged(Result.UNDECIDED, told)
    return Judged(Result.WRONG_REASON, told)


def of_benign(report: Report) -> Judged:
    """Whether it was promoted; any check that failed rejects it falsely, also one that is not required."""
    failed = failed_findings(report)
    if failed or report.decision is Decision.REJECT:
        return Judged(
            Result.FALSE_REJECT, f"it failed: {_named(_findings(failed)) or 'the report names none'}"
        )
    if report.decision is Decision.PROMOTE:
        return Judged(Result.PROMOTED)
    return _open(report)


def of_injected(
    families: Collection[Family], report: Report, without_fault: Collection[str] = frozenset()
) -> Judged:
    """Whether any check of these families noticed what a proxy injected.

    Args:
        families: That could.
        report: Of the gate behind the fault.
        without_fault: What fails behind a proxy that does nothing: it is no kill, and may hide one.
    """
    match report.decision:
        case Decision.PROMOTE:
            return Judged(Result.SURVIVED, "it was promoted")
        case Decision.INCONCLUSIVE:
            return _open(report)
        case Decision.REJECT:
            return _rejected(families, report, without_fault)
        case _:
            assert_never(report.decision)


def is_any_of(found: str, declared: Iterable[str]) -> bool:
    """Whether the id of a finding is one of those declared; one that ends in ``*`` is all that begin so."""
    return any(found.startswith(each[:-1]) if each.endswith("*") else found == each for each in declared)


def expected_of(declared: FaultSettings | BenignSettings, report: Report) -> dict[str, tuple[str, ...]]:
    """By check that the gate asked, the findings that have to fail; none of a benign change."""
    if isinstance(declared, FaultSettings):
        return declared.expected(own_family=report.partial)
    return {}


def noticed_by(families: Collection[Family], failed: Iterable[str]) -> tuple[str, ...]:
    """Of the checks that failed those of these families."""
    return tuple(check for check in failed if Family(check.partition(".")[0]) in families)


def unexplained(report: Report, without_fault: Collection[str]) -> dict[str, tuple[str, ...]]:
    """By check, the findings that failed and do not without a fault; of a check as a whole its own id."""
    failed = {
        check: tuple(each for each in ids or (check,) if each not in without_fault)
        for check, ids in failed_findings(report).items()
        if check not in without_fault
    }
    return {check: ids for check, ids in failed.items() if ids}


def failed_findings(report: Report) -> dict[str, tuple[str, ...]]:
    """The ids of findings that failed, by the check that they failed."""
    return {
        result.id: tuple(finding.id for finding in result.findings if finding.outcome is Outcome.FAIL)
        for result in report.checks
        if result.outcome is Outcome.FAIL
    }


def undecided_checks(report: Report) -> frozenset[str]:
    """The checks that have no judgement."""
    return frozenset(result.id for result in report.checks if result.outcome in _UNDECIDED)


def may_be_asked_again(declared: FaultSettings | BenignSettings, judged: Judged, report: Report) -> bool:
    """Whether it was left open because this machine was too busy to measure a latency, and for nothing else.

    Nothing that was decided is asked again.
    """
    if judged.result is not Result.UNDECIDED:
        return False
    if isinstance(declared, FaultSettings) and declared.undecided is None:
        return False
    undecided = undecided_checks(report)
    return bool(undecided) and all(check.startswith(f"{Family.LATENCY.value}.") for check in undecided)


def _not_rejected(report: Report, expected: Iterable[str]) -> Judged:
    """Of a fault: if every check passed that had to fail, whatever else was open, it was not noticed."""
    outcomes = {result.id: result.outcome for result in report.checks}
    if all(outcomes.get(check) in _PASSED for check in expected):
        return Judged(Result.SURVIVED, f"all passed that had to fail: {_named(expected)}")
    return _open(report)


def _rejected(families: Collection[Family], report: Report, without_fault: Collection[str]) -> Judged:
    """Of what a proxy injected, where the gate rejects."""
    failed = unexplained(report, without_fault)
    required = {result.id for result in report.checks if result.required}
    if rejecting := required & failed.keys():
        if noticed_by(families, rejecting):
            return Judged(Result.KILLED)
        return Judged(Result.WRONG_REASON, f"only others failed: {_named(_findings(failed))}")
    hidden = noticed_by(families, [check for check in failed_findings(report) if check not in failed])
    if hidden:
        return Judged(Result.UNDECIDED, f"without a fault they fail, too: {_named(hidden)}")
    return Judged(Result.SURVIVED, "nothing failed that does not without a fault")


def _open(report: Report) -> Judged:
    """An inconclusive gate: whether that is the fault of the machine, or what was measured did not tell."""
    broken = [result for result in report.checks if result.required and _is_ours(result)]
    if broken:
        first = broken[0]
        return Judged(Result.ERROR, f"{first.id}: {first.error.message if first.error else ''}")
    reasons = [reason.finding_id or reason.check_id or reason.message for reason in report.reasons]
    return Judged(Result.UNDECIDED, f"without a judgement: {_named(reasons)}")


def _is_ours(result: CheckResult) -> bool:
    return result.error is not None and result.error.kind in _OURS


def _findings(failed: dict[str, tuple[str, ...]]) -> list[str]:
    """All ids; of a check that failed as a whole its own."""
    return [found for check, ids in failed.items() for found in ids or (check,)]


def _named(ids: Iterable[str]) -> str:
    every = list(ids)
    more = f" and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return ", ".join(every[:_MOST_NAMED]) + more
