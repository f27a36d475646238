"""``fuzz.raw``: the valid request, malformed in every way of the corpus, over a plain socket."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from harness.checks.fuzz.corpus import CORPUS, VALID, RawCase
from harness.checks.fuzz.raw_message import Payload, Valid, as_it_is
from harness.checks.fuzz.raw_socket import Answer, exchange
from harness.checks.fuzz.settings import Expectation, FuzzLimits, FuzzSettings, RawSettings
from harness.checks.golden.golden_set import load_golden_set
from harness.checks.interface import EVIDENCE_FILE, CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError, TargetError
from harness.http_request import Request, build
from harness.model import Capability, Family, Finding, Outcome
from harness.reproduce import curl, redact_bytes, redacted, replay
from harness.template import TemplateError

MOST_REQUEST_BYTES = 1024
MOST_ANSWER_CHARACTERS = 1024
MOST_CURL_BODY_BYTES = 4096
MOST_COMMAND_CHARACTERS = 64 * 1024
SUCCESS = range(200, 300)
REFUSAL = range(400, 500)
SERVER_ERROR = 500


class RawResult(BaseModel):
    """What became of one case.

    Attributes:
        statuses: Right besides what ``expect`` says.
        status: None where no HTTP answer came.
        ended: Whether an answer came or the connection was closed in time.
        answer_ms: How long that took.
        request: The first KiB sent, without secrets; ``request_bytes`` is the whole length.
        recovery_status: Of the valid request sent next, and ``recovery_ms`` how long that took.
        reproduce: Sends it again; empty where the request is too long for a command line.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",
    )
    case: str
    expect: Expectation
    statuses: tuple[int, ...]
    status: int | None
    ended: bool
    answer_ms: float
    answer: str
    request: bytes
    request_bytes: int
    recovery_status: int | None
    recovery_ms: float
    reproduce: str


class RawEvidence(Evidence):
    """Results in the order of the corpus.

    Attributes:
        not_applicable: Cases that the valid request has nothing for, such as a number.
    """

    results: tuple[RawResult, ...]
    not_applicable: tuple[str, ...]


class RawFuzz:
    """Sends what no client library sends, and asks after each whether the service is still well."""

    id: ClassVar[str] = "fuzz.raw"
    family: ClassVar[Family] = Family.FUZZ
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[RawEvidence]] = RawEvidence

    def applies(self, settings: FuzzSettings) -> bool:
        """Whether the suite declares a valid request."""
        return settings.raw is not None

    def verify_inputs(self, suite: Suite, settings: FuzzSettings) -> None:
        """Compare the names of cases with the corpus, and fill the valid request.

        Raises:
            ConfigError: an expectation names no case, or there is no valid request to start from.
        """
        raw = settings.raw or RawSettings()
        unknown = sorted(set(raw.expect) - {case.name for case in CORPUS})
        if unknown:
            raise ConfigError(
                file=suite.path,
                key=f"fuzz.raw.expect.{unknown[0]}",
                problem="no such case",
                allowed=", ".join(case.name for case in CORPUS),
            )
        _request(suite, raw, credentials=None)

    def collect(self, context: CheckContext, settings: FuzzSettings) -> RawEvidence:
        """Send every case that applies.

        Raises:
            ConfigError: there is no valid request to start from.
            TargetError: the candidate died.
        """
        raw = settings.raw or RawSettings()
        valid = Valid(
            request=_request(context.suite, raw, context.credentials),
            host=urlsplit(context.candidate.base_url).netloc,
            base_path=urlsplit(context.candidate.base_url).path,
            largest_body_bytes=raw.largest_body_bytes,
        )
        composed = [(case, case.compose(valid)) for case in CORPUS]
        cases = [(case, payload) for case, payload in composed if payload is not None]
        deadline = time.monotonic() + raw.budget_s
        results: list[RawResult] = []
        for case, payload in cases:
            if time.monotonic() >= deadline:
                break
            results.append(_try(context, raw, valid, case, payload))
            context.progress(len(results), len(cases))
            if not context.candidate.alive():
                raise TargetError(
                    f"the candidate died of the raw request {case.name!r}", logs=context.candidate.logs()
                )
            if case is VALID and results[-1].status not in SUCCESS:
                break
        return RawEvidence(
            expected=len(cases),
            executed=len(results),
            results=tuple(results),
            not_applicable=tuple(case.name for case, payload in composed if payload is None),
        )

    def judge(self, evidence: RawEvidence, limits: FuzzLimits) -> Sequence[Finding]:
        """One finding per case that went wrong, and one that says how many were sent."""
        findings = [
            _finding(result, found) for result in evidence.results if (found := problem(result, limits))
        ]
        return [*findings, _cases(evidence, wrong=len(findings))]


EVIDENCE = f"{RawFuzz.id}/{EVIDENCE_FILE}"


def _request(suite: Suite, raw: RawSettings, credentials: Credentials | None) -> Request:
    """The valid request; without ``credentials`` it lacks the headers of its credential."""
    golden = suite.config.golden
    template = raw.request or (golden.single if golden is not None else None)
    if template is None:
        raise ConfigError(
            file=suite.path,
            key="fuzz.raw.request",
            problem="there is no [golden.single] to take its place",
            allowed='a request such as { path = "/predict", body = "${input}" }, and input',
        )
    given = raw.input
    if given is None and golden is not None:
        given = next(iter(load_golden_set(suite, golden).cases)).input
    try:
        return build(
            template, {"input": given}, credentials.headers(template.credential) if credentials else {}
        )
    except TemplateError as error:
        raise ConfigError(file=suite.path, key="fuzz.raw.request", problem=str(error)) from error


def _try(context: CheckContext, raw: RawSettings, valid: Valid, case: RawCase, payload: Payload) -> RawResult:
    base_url, redact = context.candidate.base_url, context.credentials.redact
    answer = exchange(base_url, payload, raw.answer_timeout_s)
    recovery = exchange(base_url, as_it_is(valid), raw.answer_timeout_s)
    sent = b"".join(payload.parts)
    return RawResult(
        case=case.name,
        expect=raw.expect.get(case.name, case.expect),
        statuses=tuple(sorted(case.statuses)),
        status=answer.status,
        ended=answer.ended and answer.connected,
        answer_ms=answer.milliseconds,
        answer=answer.content.decode("utf-8", "replace")[:MOST_ANSWER_CHARACTERS],
        request=redact_bytes(sent, redact)[:MOST_REQUEST_BYTES],
        request_bytes=len(sent),
        recovery_status=recovery.status if _in_time(recovery) else None,
        recovery_ms=recovery.milliseconds,
        reproduce=_command(base_url, payload, redact),
    )


def _in_time(answer: Answer) -> bool:
    return answer.connected and answer.ended


def _command(base_url: str, payload: Payload, redact: Callable[[str], str]) -> str:
    if payload.plain is not None and len(payload.plain.body or b"") <= MOST_CURL_BODY_BYTES:
        return curl(redacted(payload.plain, redact), base_url)
    parts = [redact_bytes(part, redact) for part in payload.parts]
    command = replay(parts, base_url, half_close=payload.half_close)
    return command if len(command) <= MOST_COMMAND_CHARACTERS else ""


def problem(result: RawResult, limits: FuzzLimits) -> str:
    """What is wrong about a result; empty when nothing is."""
    if not result.ended:
        return "neither answered nor closed in time"
    allowed = result.status in result.statuses
    if result.status is not None and result.status >= SERVER_ERROR and not allowed:
        return f"answered {result.status}"
    closed = result.status is None
    match result.expect:
        case "valid":
            right = result.status in SUCCESS
        case "refused":
            right = result.status in REFUSAL
        case "refused_or_closed":
            right = closed or result.status in REFUSAL
        case "depends":
            right = True
    if not right and not allowed:
        what = "closed the connection without an HTTP answer" if closed else f"answered {result.status}"
        return f"{what} instead of {_RIGHT[result.expect]}"
    if result.recovery_status not in SUCCESS:
        return f"the valid request was then answered {result.recovery_status or 'not at all'}"
    if result.recovery_ms > limits.max_recovery_ms:
        return f"the valid request then took {result.recovery_ms:.0f} ms"
    return ""


_RIGHT: dict[Expectation, str] = {
    "valid": "2xx",
    "refused": "4xx",
    "refused_or_closed": "4xx or a closed connection",
    "depends": "anything but 5xx",
}


def _finding(result: RawResult, found: str) -> Finding:
    return Finding(
        id=f"{RawFuzz.id}.{result.case}",
        outcome=Outcome.FAIL,
        message=f"{result.case}: {found}",
        observed="no answer" if result.status is None else result.status,
        limit=_RIGHT[result.expect],
        unit="HTTP status",
        samples=1,
        evidence=EVIDENCE,
        reproduce=result.reproduce,
    )


def _cases(evidence: RawEvidence, *, wrong: int) -> Finding:
    complete = evidence.executed >= evidence.expected > 0
    sent = f"{evidence.executed} of {evidence.expected} raw requests sent, {wrong} answered wrongly"
    left_out = f", {len(evidence.not_applicable)} do not apply" if evidence.not_applicable else ""
    return Finding(
        id=f"{RawFuzz.id}.cases",
        outcome=Outcome.PASS if complete else Outcome.INCONCLUSIVE,
        message=sent + left_out,
        observed=evidence.executed,
        limit=evidence.expected,
        unit="cases",
        samples=evidence.executed,
        evidence=EVIDENCE,
    )
