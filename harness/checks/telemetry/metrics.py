"""``telemetry.metrics``: what clients saw is what the service counted and logged."""

import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import httpx

from harness.checks.golden.payloads import payloads
from harness.checks.interface import CheckContext, Stage
from harness.checks.patience import Patience
from harness.checks.telemetry.evidence import Counted, Sent, TelemetryEvidence
from harness.checks.telemetry.exposition import Exposition
from harness.checks.telemetry.judging import agrees, judge_telemetry
from harness.checks.telemetry.scraping import MOST_BYTES, TIMEOUT_S, Scrape, scrape
from harness.checks.telemetry.settings import TelemetryLimits, TelemetrySettings
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError, TargetError
from harness.http_exchange import exchange, http_client
from harness.http_request import Request, build
from harness.model import Capability, Family, Finding, Scope
from harness.template import TemplateError

POLL_S = 0.1
MOST_ID_CHARACTERS = 200
"""Of a longer one only the beginning is kept, which no line of the log has by itself."""


class TelemetryMetrics:
    """Sends requests of known outcome to a fresh candidate and reads its metrics before and after."""

    id: ClassVar[str] = "telemetry.metrics"
    family: ClassVar[Family] = Family.TELEMETRY
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[TelemetryEvidence]] = TelemetryEvidence

    def applies(self, _settings: TelemetrySettings) -> bool:
        """The section itself names something to check."""
        return True

    def verify_inputs(self, suite: Suite, settings: TelemetrySettings) -> None:
        """Build every request.

        Raises:
            ConfigError: there is no golden set, or a body cannot be filled.
        """
        _requests(suite, settings, Credentials(suite.config.auth, {}))

    def collect(self, context: CheckContext, settings: TelemetrySettings) -> TelemetryEvidence:
        """Scrape, send, and scrape until the counters have caught up.

        Raises:
            ConfigError: as :meth:`verify_inputs`.
            TargetError: the candidate died.
        """
        golden, refused = _requests(context.suite, settings, context.credentials)
        requests = [*golden, *refused]
        sent: list[Sent] = []
        patience = Patience()
        with http_client(context.candidate.base_url) as client:
            before = scrape(client, context, settings)
            for number, request in enumerate(requests):
                if patience.over:
                    break
                given = settings.keeps_request_id and number % 2 == 1
                given_id = f"gate-{context.seed}-{number}" if given else None
                sent.append(_send(client, request, settings, given_id))
                patience.note(answered=sent[-1].status is not None)
                context.progress(len(sent), len(requests))
            give_up = time.monotonic() + settings.settle_s
            while True:
                after = scrape(client, context, settings)
                evidence = _evidence(
                    context,
                    settings,
                    sent,
                    expected=len(requests),
                    golden=len(golden),
                    before=before,
                    after=after,
                )
                if agrees(evidence, settings.limits) or time.monotonic() > give_up:
                    break
                time.sleep(POLL_S)
        if not context.candidate.alive():
            raise TargetError("it stopped while its metrics were checked", logs=context.candidate.logs())
        if context.candidate.description.kind is Scope.URL:
            return evidence
        log = context.candidate.search_log(context.credentials.stand_in)
        leaked = (*evidence.leaked, "log") if log.found else evidence.leaked
        return evidence.model_copy(update={"leaked": leaked, "log_cut": not log.whole})

    def judge(self, evidence: TelemetryEvidence, limits: TelemetryLimits) -> Sequence[Finding]:
        """One finding for each thing that the suite names, and one for secrets."""
        return judge_telemetry(self.id, evidence, limits)


def _requests(
    suite: Suite, settings: TelemetrySettings, credentials: Credentials
) -> tuple[list[Request], list[Request]]:
    """Requests that ask a golden case, and requests to be refused."""
    golden = payloads(suite, credentials)[: settings.cases]
    try:
        refused = [
            build(template, {}, credentials.headers(template.credential)) for template in settings.refused
        ]
    except TemplateError as error:
        raise ConfigError(file=suite.path, key="telemetry.refused", problem=str(error)) from error
    return golden, refused * settings.repeat


def _send(client: httpx.Client, request: Request, settings: TelemetrySettings, given_id: str | None) -> Sent:
    if given_id and settings.request_id:
        request = replace(request, headers={**request.headers, settings.request_id: given_id})
    started = time.perf_counter()
    try:
        answer = exchange(client, request, timeout_s=TIMEOUT_S, most_bytes=MOST_BYTES)
    except httpx.HTTPError:
        return Sent(path=request.path, status=None, seconds=time.perf_counter() - started)
    return Sent(
        path=request.path,
        status=answer.status,
        seconds=time.perf_counter() - started,
        request_id=_cut(answer.headers.get((settings.request_id or "").lower())),
        given_id=given_id,
    )


def _cut(request_id: str | None) -> str | None:
    return None if request_id is None else request_id[:MOST_ID_CHARACTERS]


def _rise(
    before: Exposition, after: Exposition, sent: Sequence[Sent], settings: TelemetrySettings
) -> Counted:
    def rose(name: str, **labels: str) -> float | None:
        last = after.total(name, **labels)
        return None if last is None else last - (before.total(name, **labels) or 0.0)

    requests, durations, buckets = {}, {}, {}
    if counter := settings.requests:
        for path, status in sorted({(each.path, each.status) for each in sent if each.status is not None}):
            labels = {counter.path: path, counter.status: str(status)}
            requests[f"{path} {status}"] = rose(counter.metric, **labels)
    if histogram := settings.duration:
        for path in sorted({each.path for each in sent}):
            labels = {histogram.path: path}
            count, total = (rose(f"{histogram.metric}_{part}", **labels) for part in ("count", "sum"))
            durations[path] = (count, total)
            earlier = before.buckets(histogram.metric, **labels)
            later = after.buckets(histogram.metric, **labels)
            buckets[path] = tuple(sorted((bound, n - earlier.get(bound, 0.0)) for bound, n in later.items()))
    inferences = rose(settings.inferences) if settings.inferences else None
    rejections = {counter.metric: rose(counter.metric) for counter in settings.rejections}
    return Counted(
        requests=requests,
        durations=durations,
        inferences=inferences,
        buckets=buckets,
        rejections=rejections,
    )


def _evidence(
    context: CheckContext,
    settings: TelemetrySettings,
    sent: Sequence[Sent],
    *,
    expected: int,
    golden: int,
    before: Scrape,
    after: Scrape,
) -> TelemetryEvidence:
    has_log = context.candidate.description.kind is not Scope.URL
    log = context.candidate.logs() if has_log else ""
    counted = None
    if before.samples is not None and after.samples is not None:
        counted = _rise(before.samples, after.samples, sent, settings)
    return TelemetryEvidence(
        expected=expected,
        executed=sum(each.status is not None for each in sent),
        request_counter=settings.requests,
        inference_counter=settings.inferences,
        duration_histogram=settings.duration,
        rejection_counters=settings.rejections,
        request_id_header=settings.request_id,
        refused=tuple(request.status for request in settings.refused),
        sent=tuple(_looked_up(sent, log) if has_log else sent),
        golden=golden,
        counted=counted,
        problem=before.problem or after.problem,
        leaked=("metrics",) if before.leaked or after.leaked else (),
    )


def _looked_up(sent: Sequence[Sent], log: str) -> list[Sent]:
    """How many lines of the log have each request's id."""
    ids = {each.request_id for each in sent if each.request_id}
    # An id stands by itself: r-1 is not in r-10.
    pattern = re.compile("|".join(rf"(?<![\w.-]){re.escape(each)}(?![\w.-])" for each in ids) or r"(?!)")
    seen = Counter(found for line in log.splitlines() for found in set(pattern.findall(line)))
    return [each.model_copy(update={"logged": seen[each.request_id or ""]}) for each in sent]
