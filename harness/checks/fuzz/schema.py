"""``fuzz.schema``: requests generated from the frozen contract, and answers held against it."""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from harness.checks.fuzz.protocol import NO_ANSWER, Failed, Job, Kind
from harness.checks.fuzz.reproducer import StoredCase, write
from harness.checks.fuzz.schema_evidence import FailureKind, SchemaEvidence, Tally
from harness.checks.fuzz.schema_judging import CHECK_ID, judged, kind_name
from harness.checks.fuzz.settings import FuzzLimits, FuzzSettings
from harness.checks.fuzz.supervise import WorkerEnd, run_worker
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.errors import TargetError
from harness.http_request import Request
from harness.model import Capability, Family, Finding
from harness.openapi.load import read_document
from harness.reproduce import curl, redacted

MOST_FAILURES = 50
MOST_ERRORS = 20
MOST_NAMED = 5
MOST_REQUEST_BYTES = 1024
WORKER_MEMORY_BYTES = 4 * 1024**3


class SchemaFuzz:
    """Generates requests from the contract and checks every answer against it."""

    id: ClassVar[str] = CHECK_ID
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
        job = job_of(context, settings)
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
            declared=settings.checks,
            operations=tally.cases(),
            checks=tally.checks(),
            failures=tuple(
                _kind(kind, failed, tally.again.get(kind), context)
                for kind, failed in failures[:MOST_FAILURES]
            ),
            failure_kinds=len(failures),
            stateful=tally.stateful,
            errors=tuple(tally.errors[:MOST_ERRORS]),
            ended=tally.ended,
        )

    def judge(self, evidence: SchemaEvidence, limits: FuzzLimits) -> Sequence[Finding]:
        """As :func:`harness.checks.fuzz.schema_judging.judged`."""
        return judged(evidence, limits)


def job_of(context: CheckContext, settings: FuzzSettings) -> Job:
    """What the worker has to do.

    Raises:
        ConfigError: the contract cannot be read.
    """
    path = context.suite.resolve(settings.openapi or "", key="fuzz.openapi")
    return Job(
        document=read_document(path),
        base_url=context.candidate.base_url,
        headers=context.credentials.headers(settings.credential),
        checks=settings.checks,
        seed=context.seed,
        cases_per_operation=settings.cases_per_operation,
        answer_timeout_s=settings.answer_timeout_s,
        budget_s=settings.budget_s,
        shrink_budget_s=settings.shrink_budget_s,
        memory_bytes=WORKER_MEMORY_BYTES,
    )


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


def _kind(kind: Kind, failed: Failed, again: bool | None, context: CheckContext) -> FailureKind:
    command, replay = "", ""
    base_url, redact = context.candidate.base_url, context.credentials.redact
    path = failed.path.removeprefix(urlsplit(base_url).path)
    request = redacted(Request(failed.method, path, failed.headers, failed.body), redact)
    if failed.method and failed.body_bytes == len(failed.body or b""):
        command = curl(request, base_url)
    check, operation, status, exception = kind
    if failed.case:
        stored = StoredCase.model_validate(
            {
                "check": check,
                "operation": operation,
                "status": status,
                "message": failed.message,
                "seed": context.seed,
                "request": {
                    "method": request.method,
                    "path": request.path,
                    "headers": request.headers,
                    "body_base64": None if request.body is None else b64encode(request.body).decode(),
                },
                "case": json.loads(failed.case),
            }
        )
        replay = write(context.folder, kind_name(kind), stored, redact)
    return FailureKind(
        check=check,
        operation=operation,
        status=status,
        exception=exception,
        count=failed.count,
        message=failed.message,
        again=again,
        request=f"{request.method} {request.path[:500]}",
        body=(request.body or b"")[:MOST_REQUEST_BYTES],
        answer=failed.answer,
        curl=command,
        replay=replay,
    )
