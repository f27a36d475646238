"""What the raw corpus found, and what of it is wrong."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from harness.checks.fuzz.raw_answer import SUCCESS
from harness.checks.fuzz.settings import Expectation, FuzzLimits
from harness.checks.interface import EVIDENCE_FILE, Evidence
from harness.model import Capability, Finding, Outcome

CHECK_ID = "fuzz.raw"
EVIDENCE = f"{CHECK_ID}/{EVIDENCE_FILE}"
REFUSAL = range(400, 500)
SERVER_ERROR = 500
MIB = 1024 * 1024
RIGHT: dict[Expectation, str] = {
    "valid": "2xx",
    "refused": "4xx",
    "refused_or_closed": "4xx or a closed connection",
    "depends": "anything but 5xx",
}


class RawResult(BaseModel):
    """What became of one case.

    Attributes:
        statuses: Right besides what ``expect`` says.
        status: None where no HTTP answer came.
        ended: Whether an answer came or the connection was closed in time.
        answer_ms: How long that took.
        refusal: What is wrong about the body of a 4xx by the declared schema; None where none is declared.
        says_json: Whether the answer has a body that its ``Content-Type`` calls JSON, as an application does.
        request: The first KiB sent, without secrets; ``request_bytes`` is the whole length.
        recovery_status: Of the valid request sent next, and ``recovery_ms`` how long that took.
        ready: Whether the readiness path then answered as declared.
        reproduce: Sends it again; empty where the request is too long for a command line.
        replay: The stored request, relative to the folder of evidence; empty where nothing was wrong.
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
    refusal: str | None
    says_json: bool
    request: bytes
    request_bytes: int
    recovery_status: int | None
    recovery_ms: float
    ready: bool
    reproduce: str
    replay: str = ""


class RawEvidence(Evidence):
    """Results in the order of the corpus.

    Attributes:
        not_applicable: Cases that the valid request has nothing for, such as a number.
        memory_before_bytes: What the service held once it had answered a valid request; None where the target
            cannot tell.
        memory_after_bytes: The least that it held in a second of rest after the last case.
        container: Whether it is a container, whose memory the engine should tell.
    """

    results: tuple[RawResult, ...]
    not_applicable: tuple[str, ...]
    memory_before_bytes: int | None
    memory_after_bytes: int | None
    container: bool = False


def judged(evidence: RawEvidence, limits: FuzzLimits) -> Sequence[Finding]:
    """One finding per case that went wrong, one for the memory if limited, one for the number of cases."""
    wrong = [_finding(result, found) for result in evidence.results if (found := problem(result, limits))]
    return [*wrong, *_memory(evidence, limits), _cases(evidence, wrong=len(wrong))]


def problem(result: RawResult, limits: FuzzLimits) -> str:
    """What is wrong about a result; empty when nothing is."""
    return _answer_problem(result) or _after_problem(result, limits)


def _answer_problem(result: RawResult) -> str:
    if not result.ended:
        return "neither answered nor closed in time"
    if result.status in result.statuses:
        return ""
    if result.status is not None and result.status >= SERVER_ERROR:
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
    if not right:
        what = "closed the connection without an HTTP answer" if closed else f"answered {result.status}"
        return f"{what} instead of {RIGHT[result.expect]}"
    if result.refusal and (result.expect == "refused" or result.says_json):
        return f"answered {result.status} with another body than the declared one: {result.refusal}"
    return ""


def _after_problem(result: RawResult, limits: FuzzLimits) -> str:
    """It has to be quick, and to leave the service well."""
    if result.answer_ms > limits.max_answer_ms:
        return f"answered only after {result.answer_ms:.0f} ms"
    if result.recovery_status not in SUCCESS:
        return f"the valid request was then answered {result.recovery_status or 'not at all'}"
    if result.recovery_ms > limits.max_recovery_ms:
        return f"the valid request then took {result.recovery_ms:.0f} ms"
    return "" if result.ready else "the service was then no longer ready"


def _finding(result: RawResult, found: str) -> Finding:
    return Finding(
        id=f"{CHECK_ID}.{result.case}",
        outcome=Outcome.FAIL,
        message=f"{result.case}: {found}",
        observed="no answer" if result.status is None else result.status,
        limit=RIGHT[result.expect],
        unit="HTTP status",
        samples=1,
        evidence=EVIDENCE,
        reproduce=result.reproduce,
        replay=result.replay,
    )


def _memory(evidence: RawEvidence, limits: FuzzLimits) -> list[Finding]:
    limit = limits.max_memory_growth_mib
    if limit is None:
        return []
    name = f"{CHECK_ID}.memory"
    if evidence.memory_before_bytes is None or evidence.memory_after_bytes is None:
        if evidence.container:
            untold = "the engine does not tell the container's memory"
            return [Finding(id=name, outcome=Outcome.INCONCLUSIVE, message=untold)]
        message = "the target does not tell its memory"
        missing = Capability.CONTAINER
        return [Finding(id=name, outcome=Outcome.NOT_APPLICABLE, message=message, missing=missing)]
    grown = (evidence.memory_after_bytes - evidence.memory_before_bytes) / MIB
    return [
        Finding(
            id=name,
            outcome=Outcome.FAIL if grown > limit else Outcome.PASS,
            message=f"the service holds {grown:+.1f} MiB after {evidence.executed} cases",
            observed=round(grown, 3),
            limit=limit,
            unit="MiB",
            samples=evidence.executed,
            evidence=EVIDENCE,
        )
    ]


def _cases(evidence: RawEvidence, *, wrong: int) -> Finding:
    complete = evidence.executed >= evidence.expected > 0
    sent = f"{evidence.executed} of {evidence.expected} raw requests sent, {wrong} answered wrongly"
    left_out = f", {len(evidence.not_applicable)} do not apply" if evidence.not_applicable else ""
    return Finding(
        id=f"{CHECK_ID}.cases",
        outcome=Outcome.PASS if complete else Outcome.INCONCLUSIVE,
        message=sent + left_out,
        observed=evidence.executed,
        limit=evidence.expected,
        unit="cases",
        samples=evidence.executed,
        evidence=EVIDENCE,
    )
