"""``fuzz.schema``: requests generated from the frozen contract, and answers held against it."""

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from harness.checks.fuzz.protocol import NO_ANSWER, Failed, Job
from harness.checks.fuzz.schema_evidence import CheckCases, FailureKind, OperationCases, SchemaEvidence, Tally
from harness.checks.fuzz.settings import FuzzLimits, FuzzSettings
from harness.checks.fuzz.supervise import WorkerEnd, run_worker
from harness.checks.interface import EVIDENCE_FILE, CheckContext, Stage
from harness.config.suite import Suite
from harness.errors import TargetError
from harness.http_request import Request
from harness.model import Capability, Family, Finding, Outcome
from harness.openapi.load import read_document
from harness.reproduce import curl, redacted

MOST_FAILURES = 50
MOST_ERRORS = 20
MOST_NAMED = 5
WORKER_MEMORY_BYTES = 4 * 1024**3


class SchemaFuzz:
    """Generates requests from the contract and checks every answer against it."""

    id: ClassVar[str] = "fuzz.schema"
    family: ClassVar[Family] = Family.FUZZ
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[SchemaEvidence]] = SchemaEvidence

    def applies(self, settings: FuzzSettings) -> bool:
        """Whether the suite names a contract."""
        return settings.openapi is not None

    def verify_inputs(self, suite: Suite, settings: FuzzSettings) -> None:
        """Read the contract.

        Raises:
            ConfigError: it cannot be read.
        """
        read_document(suite.resolve(settings.openapi or "", key="fuzz.openapi"))

    def collect(self, context: CheckContext, settings: FuzzSettings) -> SchemaEvidence:
        """Run the worker and add up what it says.

        Raises:
            ConfigError: the contract cannot be read.
            TargetError: the candidate died.
        """
        path = context.suite.resolve(settings.openapi or "", key="fuzz.openapi")
        job = Job(
            document=read_document(path),
            base_url=context.candidate.base_url,
            headers=context.credentials.headers(settings.credential),
            checks=settings.checks,
            seed=context.seed,
            cases_per_operation=settings.cases_per_operation,
            answer_timeout_s=settings.answer_timeout_s,
            budget_s=settings.budget_s,
            memory_bytes=WORKER_MEMORY_BYTES,
        )
        tally = Tally(settings.cases_per_operation, context.progress)
        end = run_worker(job, tally.add)
        if not context.candidate.alive():
            raise TargetError("the candidate died under generated requests", logs=context.candidate.logs())
        _note_early_end(tally, end)
        failures = tally.failures()
        return SchemaEvidence(
            expected=tally.expected,
            executed=tally.executed,
            cases_per_operation=settings.cases_per_operation,
            operations=tally.cases(),
            checks=tally.checks(),
            failures=tuple(_kind(failed, context) for failed in failures[:MOST_FAILURES]),
            failure_kinds=len(failures),
            errors=tuple(tally.errors[:MOST_ERRORS]),
            ended=tally.ended,
        )

    def judge(self, evidence: SchemaEvidence, limits: FuzzLimits) -> Sequence[Finding]:
        """One finding per check of Schemathesis, one for the accepted share, one for the number of cases."""
        findings = [_check_finding(check, evidence) for check in evidence.checks]
        findings.append(_accepted_share(evidence, limits))
        findings.append(_cases(evidence))
        if evidence.errors or evidence.ended not in {"completed", "budget", "server_unavailable"}:
            message = "; ".join(evidence.errors[:MOST_NAMED]) or f"the engine stopped early: {evidence.ended}"
            findings.append(
                Finding(id=f"{self.id}.engine", outcome=Outcome.ERROR, message=message, evidence=EVIDENCE)
            )
        return findings


EVIDENCE = f"{SchemaFuzz.id}/{EVIDENCE_FILE}"


def _note_early_end(tally: Tally, end: WorkerEnd) -> None:
    if tally.ended == "server_unavailable":
        tally.add(
            Failed(
                check=NO_ANSWER,
                operation="every operation",
                status=None,
                count=1,
                message="the service stopped accepting connections",
            )
        )
    if end.killed:
        tally.ended = "killed"
        tally.errors.append("the worker did not end in its time and was killed")
    elif not tally.ended:
        last = end.errors.strip().splitlines()[-1:] or ["(no output)"]
        tally.ended = "crashed"
        tally.errors.append(f"the worker ended with exit code {end.exit_code}: {last[0][:500]}")


def _kind(failed: Failed, context: CheckContext) -> FailureKind:
    command = ""
    if failed.method and failed.body_bytes == len(failed.body or b""):
        base_url = context.candidate.base_url
        path = failed.path.removeprefix(urlsplit(base_url).path)
        request = Request(failed.method, path, failed.headers, failed.body)
        command = curl(redacted(request, context.credentials.redact), base_url)
    return FailureKind(
        check=failed.check,
        operation=failed.operation,
        status=failed.status,
        count=failed.count,
        message=failed.message,
        request=f"{failed.method} {failed.path[:500]}",
        answer=failed.answer,
        curl=command,
    )


def _check_finding(check: CheckCases, evidence: SchemaEvidence) -> Finding:
    name = f"{SchemaFuzz.id}.{check.name}"
    if not check.failed:
        message = f"{check.name} held for {check.applied} answers"
        return Finding(
            id=name,
            outcome=Outcome.PASS,
            message=message,
            observed=0,
            limit=0,
            samples=check.applied,
            evidence=EVIDENCE,
        )
    kinds = [kind for kind in evidence.failures if kind.check == check.name]
    shown = [f"{kind.operation} → {_status(kind.status)} ({kind.count} times)" for kind in kinds[:MOST_NAMED]]
    more = [f"{len(kinds) - MOST_NAMED} more kinds"] if len(kinds) > MOST_NAMED else []
    example = f": {kinds[0].message}" if kinds else ""
    return Finding(
        id=name,
        outcome=Outcome.FAIL,
        message=f"{check.name} failed: {', '.join([*shown, *more])}{example}",
        observed=check.failed,
        limit=0,
        unit="failures",
        samples=check.applied,
        evidence=EVIDENCE,
        reproduce=next((kind.curl for kind in kinds if kind.curl), ""),
    )


def _accepted_share(evidence: SchemaEvidence, limits: FuzzLimits) -> Finding:
    name = f"{SchemaFuzz.id}.accepted_share"
    asked = [operation for operation in evidence.operations if operation.valid]
    if not asked:
        return Finding(
            id=name,
            outcome=Outcome.INCONCLUSIVE,
            message="no valid request was answered",
            evidence=EVIDENCE,
        )
    worst = min(asked, key=_share)
    failing = [operation for operation in asked if _share(operation) < limits.min_accepted_share]
    if failing:
        listed = ", ".join(
            f"{operation.operation} {operation.accepted} of {operation.valid} ({_statuses(operation)})"
            for operation in failing[:MOST_NAMED]
        )
        message = f"valid requests were refused: {listed}"
    else:
        message = (
            f"valid requests were accepted; least by {worst.operation}, {worst.accepted} of {worst.valid}"
        )
    return Finding(
        id=name,
        outcome=Outcome.FAIL if failing else Outcome.PASS,
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
    return Finding(
        id=f"{SchemaFuzz.id}.cases",
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


def _status(status: int | None) -> str:
    return "no answer" if status is None else str(status)


def _statuses(operation: OperationCases) -> str:
    return ", ".join(f"{status}: {count}" for status, count in operation.statuses.items())
