"""``fuzz.replay``: stored requests that once failed, sent again instead of new ones."""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from harness.checks.fuzz.protocol import Job, Replayed
from harness.checks.fuzz.raw import RawFuzz, raw_client
from harness.checks.fuzz.raw_judging import RawResult, problem
from harness.checks.fuzz.reproducer import HOST, ReproducerFile, StoredCase, StoredRaw
from harness.checks.fuzz.schema import SchemaFuzz, job_of
from harness.checks.fuzz.schema_evidence import Tally
from harness.checks.fuzz.settings import FuzzLimits, FuzzSettings, RawSettings
from harness.checks.fuzz.supervise import run_worker
from harness.checks.interface import EVIDENCE_FILE, CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.errors import ConfigError, TargetError
from harness.model import Capability, Family, Finding, Outcome
from harness.openapi.load import read_document

SHOWN_DIGITS = 12


class ReplayResult(BaseModel):
    """What became of one stored request.

    Attributes:
        sha256: Of its file.
        what: Check and operation, or the case of the corpus.
        was: How it was answered when it was stored; None where it was not.
        raw: What the service did, for a request of the corpus.
        fails: Whether a generated request still fails its check; None where it could not be asked.
        message: Why, in either case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")
    sha256: str
    what: str
    was: int | None
    raw: RawResult | None = None
    fails: bool | None = None
    message: str = ""


class ReplayEvidence(Evidence):
    """Results in the order of the files."""

    results: tuple[ReplayResult, ...]


class ReplayFuzz:
    """Sends stored requests again, each held against the check that it failed.

    Args:
        files: What to send; without any it only judges.
    """

    id: ClassVar[str] = "fuzz.replay"
    family: ClassVar[Family] = Family.FUZZ
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[ReplayEvidence]] = ReplayEvidence

    def __init__(self, files: Sequence[ReproducerFile] = ()) -> None:
        self._files = tuple(files)

    def applies(self, _settings: FuzzSettings) -> bool:
        """Whether there is anything to send."""
        return bool(self._files)

    def verify_inputs(self, suite: Suite, settings: FuzzSettings) -> None:
        """Read what the requests need, and find their operations in the contract.

        Raises:
            ConfigError: the suite declares no contract or no raw request, or the contract lacks an operation.
        """
        if settings.openapi is not None:
            SchemaFuzz().verify_inputs(suite, settings)
        if settings.raw is not None:
            RawFuzz().verify_inputs(suite, settings)
        for file in self._files:
            missing = _undeclared(file.stored, suite, settings)
            if missing:
                raise ConfigError(file=file.path, problem=missing)

    def collect(self, context: CheckContext, settings: FuzzSettings) -> ReplayEvidence:
        """Send every request.

        Raises:
            TargetError: the candidate died.
        """
        generated = [file for file in self._files if isinstance(file.stored, StoredCase)]
        found = self._generated(context, settings, generated) if generated else {}
        results = []
        for file in self._files:
            if isinstance(file.stored, StoredRaw):
                found[file.sha256] = self._raw(context, settings, file, file.stored)
            results.append(found[file.sha256])
            context.progress(len(results), len(self._files))
        return ReplayEvidence(expected=len(self._files), executed=len(results), results=tuple(results))

    def judge(self, evidence: ReplayEvidence, limits: FuzzLimits) -> Sequence[Finding]:
        """One finding per stored request."""
        return [_finding(result, limits) for result in evidence.results]

    def _generated(
        self, context: CheckContext, settings: FuzzSettings, files: Sequence[ReproducerFile]
    ) -> dict[str, ReplayResult]:
        tally = Tally(settings.cases_per_operation, lambda _done, _total: None)
        values = variables(context, settings)
        asked = tuple(
            (_filled(json.dumps(file.stored.case), values), file.stored.check)
            for file in files
            if isinstance(file.stored, StoredCase)
        )
        job: Job = job_of(context, settings).model_copy(update={"again": asked})
        end = run_worker(job, tally.add)
        if not context.candidate.alive():
            raise TargetError("the candidate died of a stored request", logs=context.candidate.logs())
        lost = f"the worker ended with exit code {end.exit_code}: {'; '.join(tally.errors)[:300]}"
        answers = {answer.index: answer for answer in tally.replayed}
        return {
            file.sha256: _result(file, answers.get(index, Replayed(index=index, problem=lost)))
            for index, file in enumerate(files)
        }

    def _raw(
        self, context: CheckContext, settings: FuzzSettings, file: ReproducerFile, stored: StoredRaw
    ) -> ReplayResult:
        client = raw_client(context, settings, settings.raw or RawSettings())
        payload = stored.payload(variables(context, settings))
        result = client.ask(stored.case, stored.expect, stored.statuses, payload)
        if not context.candidate.alive():
            raise TargetError(
                f"the candidate died of the raw request {stored.case!r}", logs=context.candidate.logs()
            )
        return ReplayResult(
            sha256=file.sha256, what=f"{RawFuzz.id} {stored.case}", was=stored.status, raw=result
        )


def variables(context: CheckContext, settings: FuzzSettings) -> dict[str, str]:
    """What the variables of a stored request stand for in this run."""
    credentials = context.credentials
    used = [settings.credential]
    if settings.raw is not None:
        golden = context.suite.config.golden
        template = settings.raw.request or (golden.single if golden is not None else None)
        used.append(template.credential if template is not None else None)
    values = [value for name in used for value in credentials.headers(name).values()]
    host = raw_client(context, settings, settings.raw).valid.host if settings.raw is not None else ""
    return {credentials.redact(value): value for value in values} | ({HOST: host} if host else {})


def _filled(text: str, values: Mapping[str, str]) -> str:
    for variable, value in values.items():
        text = text.replace(json.dumps(variable)[1:-1], json.dumps(value)[1:-1])
    return text


def _undeclared(stored: StoredCase | StoredRaw, suite: Suite, settings: FuzzSettings) -> str:
    """What the suite lacks to send it; empty when nothing."""
    if isinstance(stored, StoredRaw):
        return (
            ""
            if settings.raw is not None
            else f"a request of the raw corpus, and {suite.path} has no [fuzz.raw]"
        )
    if settings.openapi is None:
        return f"a generated request, and {suite.path} does not declare fuzz.openapi"
    paths = read_document(suite.resolve(settings.openapi, key="fuzz.openapi")).get("paths", {})
    item = paths.get(stored.case.get("path"))
    method = str(stored.case.get("operation", "")).lower()
    declared = isinstance(item, dict) and isinstance(item.get(method), dict)
    return "" if declared else f"{stored.operation} is no operation of {settings.openapi}"


def _result(file: ReproducerFile, answer: Replayed) -> ReplayResult:
    stored = file.stored
    if not isinstance(stored, StoredCase):
        raise TypeError("only generated requests are sent by the worker")
    failed = answer.failed
    fails = None if answer.problem else failed is not None
    message = answer.problem or ("" if failed is None else failed.message)
    what = f"{SchemaFuzz.id} {stored.check} {stored.operation}"
    return ReplayResult(sha256=file.sha256, what=what, was=stored.status, fails=fails, message=message)


def _finding(result: ReplayResult, limits: FuzzLimits) -> Finding:
    wrong = result.message if result.raw is None else problem(result.raw, limits)
    fails = result.fails if result.raw is None else bool(wrong)
    was = "no answer" if result.was is None else str(result.was)
    outcome, now = {
        True: (Outcome.FAIL, f"still fails, as it did with {was}: {wrong}"),
        False: (Outcome.PASS, f"no longer fails, as it did with {was}"),
        None: (Outcome.INCONCLUSIVE, f"could not be sent: {wrong}"),
    }[fails]
    return Finding(
        id=f"{ReplayFuzz.id}.{result.sha256[:SHOWN_DIGITS]}",
        outcome=outcome,
        message=f"{result.what} {now}",
        observed=None if fails is None else int(fails),
        limit=0,
        unit="failures",
        samples=0 if fails is None else 1,
        evidence=f"{ReplayFuzz.id}/{EVIDENCE_FILE}",
        reproduce="" if result.raw is None else result.raw.reproduce,
    )
