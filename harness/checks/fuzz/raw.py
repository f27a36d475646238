"""``fuzz.raw``: the valid request, malformed in every way of the corpus, over a plain socket."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from harness.checks.fuzz.corpus import CORPUS, VALID
from harness.checks.fuzz.raw_answer import SUCCESS
from harness.checks.fuzz.raw_asking import RawClient, refusal_problem
from harness.checks.fuzz.raw_judging import CHECK_ID, RawEvidence, RawResult, judged, problem
from harness.checks.fuzz.raw_message import Payload, Valid
from harness.checks.fuzz.reproducer import StoredRaw, raw_parts, write
from harness.checks.fuzz.settings import FuzzLimits, FuzzSettings, RawSettings
from harness.checks.golden.golden_set import load_golden_set
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError, TargetError
from harness.http_request import Request, build
from harness.model import Capability, Family, Finding, Scope
from harness.openapi.load import read_document
from harness.targets.interface import Endpoint
from harness.template import TemplateError

RESTS = 3
REST_S = 0.5


class RawFuzz:
    """Sends what no client library sends, and asks after each whether the service is still well."""

    id: ClassVar[str] = CHECK_ID
    family: ClassVar[Family] = Family.FUZZ
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[RawEvidence]] = RawEvidence

    def applies(self, settings: FuzzSettings) -> bool:
        """Whether the suite declares a valid request."""
        return settings.raw is not None

    def verify_inputs(self, suite: Suite, settings: FuzzSettings) -> None:
        """Compare the names of cases with the corpus, fill the valid request, find the schema of a refusal.

        Raises:
            ConfigError: an expectation names no case, there is no valid request to start from, or no schema.
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
        _refusal(suite, settings, raw)

    def collect(self, context: CheckContext, settings: FuzzSettings) -> RawEvidence:
        """Send every case that applies.

        Raises:
            ConfigError: there is no valid request to start from.
            TargetError: the candidate died.
        """
        raw = settings.raw or RawSettings()
        client = raw_client(context, settings, raw)
        applicable = [case for case in CORPUS if case.compose(client.valid) is not None]
        deadline = time.monotonic() + raw.budget_s
        before: int | None = None
        results: list[RawResult] = []
        for case in applicable:
            payload = case.compose(client.valid)
            if payload is None or time.monotonic() >= deadline:
                break
            result = client.ask(case.name, raw.expect.get(case.name, case.expect), case.statuses, payload)
            if problem(result, settings.limits):
                result = _stored(result, payload, client, context)
            results.append(result)
            context.progress(len(results), len(applicable))
            if not context.candidate.alive():
                raise TargetError(
                    f"the candidate died of the raw request {case.name!r}", logs=context.candidate.logs()
                )
            if case is VALID:
                if results[-1].status not in SUCCESS:
                    break
                before = context.candidate.memory_bytes()
        return RawEvidence(
            expected=len(applicable),
            executed=len(results),
            results=tuple(results),
            not_applicable=tuple(case.name for case in CORPUS if case not in applicable),
            memory_before_bytes=before,
            memory_after_bytes=None if before is None else _settled_bytes(context.candidate),
            container=context.candidate.description.kind is Scope.CONTAINER,
        )

    def judge(self, evidence: RawEvidence, limits: FuzzLimits) -> Sequence[Finding]:
        """As :func:`harness.checks.fuzz.raw_judging.judged`."""
        return judged(evidence, limits)


def raw_client(context: CheckContext, settings: FuzzSettings, raw: RawSettings) -> RawClient:
    """What asks the candidate.

    Raises:
        ConfigError: there is no valid request to start from.
    """
    url = urlsplit(context.candidate.base_url)
    service = context.suite.config.service
    return RawClient(
        base_url=context.candidate.base_url,
        valid=Valid(
            request=_request(context.suite, raw, context.credentials),
            host=url.netloc,
            base_path=url.path,
            largest_body_bytes=raw.largest_body_bytes,
        ),
        ready=(service.ready_path, service.ready_status),
        timeout_s=raw.answer_timeout_s,
        redact=context.credentials.redact,
        refusal=_refusal(context.suite, settings, raw),
    )


def _stored(result: RawResult, payload: Payload, client: RawClient, context: CheckContext) -> RawResult:
    """The result with the name of the file that the case is written to."""
    stored = StoredRaw(
        case=result.case,
        expect=result.expect,
        statuses=result.statuses,
        status=result.status,
        parts=raw_parts(payload, client.valid.host, context.credentials.redact),
        pause_s=payload.pause_s,
        half_close=payload.half_close,
        abort=payload.abort,
        answers=payload.answers,
        times=payload.times,
        senders=payload.senders,
    )
    name = write(context.folder, result.case, stored, context.credentials.redact)
    return result.model_copy(update={"replay": name})


def _settled_bytes(endpoint: Endpoint) -> int | None:
    """The least of a few readings: what is freed soon is not held."""
    least: int | None = None
    for _ in range(RESTS):
        time.sleep(REST_S)
        held = endpoint.memory_bytes()
        if held is None:
            return None
        least = held if least is None else min(least, held)
    return least


def _refusal(suite: Suite, settings: FuzzSettings, raw: RawSettings) -> Callable[[bytes], str] | None:
    if raw.error_schema is None:
        return None
    key = "fuzz.raw.error_schema"
    if settings.openapi is None:
        raise ConfigError(
            file=suite.path,
            key=key,
            problem="there is no contract that it could be in",
            allowed="fuzz.openapi",
        )
    document = read_document(suite.resolve(settings.openapi, key="fuzz.openapi"))
    try:
        return refusal_problem(document, raw.error_schema)
    except ValueError as error:
        raise ConfigError(
            file=suite.path,
            key=key,
            value=raw.error_schema,
            problem=f"no schema of {settings.openapi}: {str(error).partition(chr(10))[0]}",
            allowed="such as #/components/schemas/Error",
        ) from error


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
