"""What generated requests found, held against the limits."""

from collections.abc import Sequence

from harness.checks.fuzz.protocol import Kind
from harness.checks.fuzz.schema_evidence import CheckCases, FailureKind, OperationCases, SchemaEvidence
from harness.checks.fuzz.settings import FuzzLimits
from harness.checks.interface import EVIDENCE_FILE
from harness.model import Finding, Outcome

CHECK_ID = "fuzz.schema"
EVIDENCE = f"{CHECK_ID}/{EVIDENCE_FILE}"
MOST_NAMED = 5
ENDED = frozenset({"completed", "budget", "server_unavailable"})
"""How the engine may end without an error of its own."""
OPTIONAL_AUTH = "ignored_auth"
"""The one check that the contract may rule out: where every operation may be asked without a credential."""


def judged(evidence: SchemaEvidence, limits: FuzzLimits) -> Sequence[Finding]:
    """One finding per kind of failure and per other declared check, one each for accepted share and cases."""
    findings = [_kind_finding(kind, evidence) for kind in evidence.failures]
    findings += [_held(check) for check in evidence.checks if check.applied and not check.failed]
    applied = {check.name for check in evidence.checks if check.applied}
    ruled_out = {OPTIONAL_AUTH} if applied else set()
    findings += [_never_applied(name) for name in evidence.declared if name not in applied | ruled_out]
    if evidence.failure_kinds > len(evidence.failures):
        findings.append(_further(evidence))
    findings += [_accepted_share(evidence, limits), _cases(evidence)]
    if evidence.errors or evidence.ended not in ENDED:
        message = "; ".join(evidence.errors[:MOST_NAMED]) or f"the engine stopped early: {evidence.ended}"
        findings.append(
            Finding(id=f"{CHECK_ID}.engine", outcome=Outcome.ERROR, message=message, evidence=EVIDENCE)
        )
    return findings


def kind_name(kind: Kind) -> str:
    """Names a kind of failure, in the id of its finding and in its stored request."""
    check, operation, status, exception = kind
    return f"{check}.{operation}.{exception or status}"


def _kind_finding(kind: FailureKind, evidence: SchemaEvidence) -> Finding:
    applied = next((check.applied for check in evidence.checks if check.name == kind.check), kind.count)
    seen = {True: "", False: "; it was not seen again", None: ""}[kind.again]
    answered = "no answer" if kind.status is None else str(kind.status)
    times = "once" if kind.count == 1 else f"{kind.count} times"
    return Finding(
        id=f"{CHECK_ID}.{kind_name((kind.check, kind.operation, kind.status, kind.exception))}",
        outcome=Outcome.FAIL,
        message=f"{kind.check} failed: {kind.operation} → {answered} ({times}{seen}): {kind.message}",
        observed=kind.count,
        limit=0,
        unit="failures",
        samples=applied,
        evidence=EVIDENCE,
        reproduce=kind.curl,
        replay=kind.replay,
    )


def _further(evidence: SchemaEvidence) -> Finding:
    """Kinds beyond those that are kept."""
    more = evidence.failure_kinds - len(evidence.failures)
    return Finding(
        id=f"{CHECK_ID}.further",
        outcome=Outcome.FAIL,
        message=f"{more} more kinds of failures, not listed",
        observed=more,
        limit=0,
        unit="kinds",
        samples=evidence.failure_kinds,
        evidence=EVIDENCE,
    )


def _held(check: CheckCases) -> Finding:
    return Finding(
        id=f"{CHECK_ID}.{check.name}",
        outcome=Outcome.PASS,
        message=f"{check.name} held for {check.applied} answers",
        observed=0,
        limit=0,
        samples=check.applied,
        evidence=EVIDENCE,
    )


def _never_applied(name: str) -> Finding:
    return Finding(
        id=f"{CHECK_ID}.{name}",
        outcome=Outcome.INCONCLUSIVE,
        message=f"no answer was held against {name}",
        evidence=EVIDENCE,
    )


def _accepted_share(evidence: SchemaEvidence, limits: FuzzLimits) -> Finding:
    name = f"{CHECK_ID}.accepted_share"
    asked = [operation for operation in evidence.operations if operation.valid]
    if not asked:
        return Finding(
            id=name,
            outcome=Outcome.INCONCLUSIVE,
            message="no valid request was answered",
            evidence=EVIDENCE,
        )
    unasked = [operation.operation for operation in evidence.operations if not operation.valid]
    worst = min(asked, key=_share)
    failing = [operation for operation in asked if _share(operation) < limits.min_accepted_share]
    if failing:
        listed = ", ".join(
            f"{operation.operation} {operation.accepted} of {operation.valid} ({_statuses(operation)})"
            for operation in failing[:MOST_NAMED]
        )
        message = f"valid requests were refused: {listed}"
    elif unasked:
        message = f"no valid request was answered by {', '.join(unasked[:MOST_NAMED])}"
    else:
        message = (
            f"valid requests were accepted; least by {worst.operation}, {worst.accepted} of {worst.valid}"
        )
    return Finding(
        id=name,
        outcome=Outcome.FAIL if failing else Outcome.INCONCLUSIVE if unasked else Outcome.PASS,
        message=message,
        observed=round(_share(worst), 4),
        limit=limits.min_accepted_share,
        unit="share",
        samples=sum(operation.valid for operation in asked),
        evidence=EVIDENCE,
    )


def _cases(evidence: SchemaEvidence) -> Finding:
    short = [operation for operation in evidence.operations if operation.cases < evidence.cases_per_operation]
    listed = short[:MOST_NAMED] if short else evidence.operations
    counts = ", ".join(f"{operation.operation} {operation.cases}" for operation in listed)
    complete = bool(evidence.operations) and not short and evidence.ended == "completed"
    why = "" if complete else f" (ended: {evidence.ended or 'unknown'})"
    why += "" if evidence.stateful else "; no chains of requests: the contract declares no links"
    return Finding(
        id=f"{CHECK_ID}.cases",
        outcome=Outcome.PASS if complete else Outcome.INCONCLUSIVE,
        message=f"cases answered: {counts or 'none'}{why}",
        observed=min((operation.cases for operation in evidence.operations), default=0),
        limit=evidence.cases_per_operation,
        unit="cases per operation",
        samples=sum(operation.cases for operation in evidence.operations),
        evidence=EVIDENCE,
    )


def _share(operation: OperationCases) -> float:
    return operation.accepted / operation.valid


def _statuses(operation: OperationCases) -> str:
    return ", ".join(f"{status}: {count}" for status, count in operation.statuses.items())
