"""``telemetry.series``: series as declared, no more than the service chooses, and no value of a request."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import ClassVar

import httpx

from harness.checks.golden.golden_set import open_golden_set
from harness.checks.interface import EVIDENCE_FILE, CheckContext, Evidence, Stage
from harness.checks.patience import Patience
from harness.checks.telemetry.exposition import Exposition
from harness.checks.telemetry.judging import LOG_CUT
from harness.checks.telemetry.markers import found, marked, renderings
from harness.checks.telemetry.scraping import MOST_BYTES, TIMEOUT_S, Scrape, scrape
from harness.checks.telemetry.settings import SeriesSettings, TelemetryLimits, TelemetrySettings
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError, TargetError
from harness.http_exchange import exchange, http_client
from harness.http_request import Request, build
from harness.model import Capability, Family, Finding, Model, Outcome, Scope, Utf8Text
from harness.targets.log import LogSearch
from harness.template import TemplateError

MADE_UP_PATHS = 20
MOST_TOLD = 5
SUCCESS = range(200, 300)


class SeriesSeen(Model):
    """A metric as it is exposed; ``labels`` None while no series of it is there."""

    type: Utf8Text
    labels: tuple[Utf8Text, ...] | None


class SeriesEvidence(Evidence):
    """Evidence of ``telemetry.series``.

    Attributes:
        declared: By the name of the metric.
        seen: Likewise; without those that are not exposed.
        made_up: Requests to paths that do not exist, each to one of its own.
        grown: By metric, how many series appeared with them.
        told: Where a value of a request was found: in the metrics, in the log; None where none was sent.
        log_cut: Whether the log may lack what was written first.
        searched: Marked cases that were accepted and have a value that can be found again.
        problem: Why the metrics could not be read; empty when they could.
    """

    declared: dict[str, SeriesSettings]
    seen: dict[str, SeriesSeen]
    made_up: int
    grown: dict[str, int]
    told: tuple[str, ...] | None
    searched: int
    log_cut: bool = False
    problem: Utf8Text = ""


class TelemetrySeries:
    """Asks for paths that are made up, and golden cases with marked values, and reads metrics and log."""

    id: ClassVar[str] = "telemetry.series"
    family: ClassVar[Family] = Family.TELEMETRY
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[SeriesEvidence]] = SeriesEvidence

    def applies(self, settings: TelemetrySettings) -> bool:
        """Where the suite declares series."""
        return bool(settings.series)

    def verify_inputs(self, suite: Suite, settings: TelemetrySettings) -> None:
        """Build every request.

        Raises:
            ConfigError: there is no golden set for marked cases, or no value of theirs could be found again.
        """
        _marked_cases(suite, Credentials(suite.config.auth, {}), settings.marked_cases, seed=0)

    def collect(self, context: CheckContext, settings: TelemetrySettings) -> SeriesEvidence:
        """Scrape, ask for what is not there, scrape, ask marked cases, scrape.

        Raises:
            ConfigError: as :meth:`verify_inputs`.
            TargetError: the candidate died.
        """
        seeded = random.Random(context.seed)  # noqa: S311 - no secret comes of it
        cases = _marked_cases(context.suite, context.credentials, settings.marked_cases, context.seed)
        answered = searched = 0
        patience = Patience()
        with http_client(context.candidate.base_url) as client:
            before = scrape(client, context, settings)
            for _ in range(MADE_UP_PATHS):
                made_up = Request("GET", f"/{seeded.randbytes(8).hex()}")
                answered += _status(client, made_up, patience) is not None
            meanwhile = scrape(client, context, settings)
            for request, values in cases:
                accepted = _status(client, request, patience) in SUCCESS
                answered += accepted
                searched += accepted and bool(values)
                context.progress(answered, MADE_UP_PATHS + len(cases))
            time.sleep(min(settings.settle_s, 0.5))
            after = scrape(client, context, settings)
        if not context.candidate.alive():
            raise TargetError("it stopped while its metrics were checked", logs=context.candidate.logs())
        metrics, log = _told(context, after, [values for _, values in cases])
        told = tuple(where for where, seen in {"metrics": metrics, "log": log}.items() if seen.found)
        return SeriesEvidence(
            expected=MADE_UP_PATHS + len(cases),
            executed=answered,
            declared=settings.series,
            seen=_seen(after.samples, settings.series),
            made_up=MADE_UP_PATHS,
            grown=_grown(before, meanwhile),
            told=told if cases else None,
            log_cut=not log.whole,
            searched=searched,
            problem=before.problem or meanwhile.problem or after.problem,
        )

    def judge(self, evidence: SeriesEvidence, limits: TelemetryLimits) -> Sequence[Finding]:
        """``declared``, ``bounded``, and ``values`` where marked cases were asked."""
        too_many = [
            f"{name}: {grown} more series after {evidence.made_up} requests to made-up paths"
            for name, grown in sorted(evidence.grown.items())
            if grown > limits.new_series
        ]
        problems = {
            "declared": list(_undeclared(evidence)),
            "bounded": too_many,
            "values": [f"a value of a request stands in the {where}" for where in evidence.told or ()],
        }
        good = {
            "declared": f"{len(evidence.declared)} metrics have the declared types and labels",
            "bounded": "made-up paths make no series of their own",
            "values": "no value of a request in metrics or log",
        }
        if evidence.told is None:
            del problems["values"]
        unsearched = "" if evidence.searched else "no accepted request has a value that could be found"
        doubts = {"values": LOG_CUT if evidence.log_cut else unsearched}
        return [
            _finding(
                f"{self.id}.{name}",
                found,
                evidence,
                good=good[name],
                doubt=evidence.problem or doubts.get(name, ""),
            )
            for name, found in problems.items()
        ]


def _finding(
    identity: str, problems: Sequence[str], evidence: SeriesEvidence, *, good: str, doubt: str
) -> Finding:
    more = len(problems) - MOST_TOLD
    told = "; ".join(problems[:MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
    if doubt and not problems:
        return Finding(id=identity, outcome=Outcome.INCONCLUSIVE, message=doubt)
    return Finding(
        id=identity,
        outcome=Outcome.FAIL if problems else Outcome.PASS,
        message=told or good,
        observed=len(problems),
        limit=0,
        unit="faults",
        samples=evidence.executed,
        evidence=f"{identity.rpartition('.')[0]}/{EVIDENCE_FILE}",
    )


def _undeclared(evidence: SeriesEvidence) -> Iterator[str]:
    """What is not as declared; nothing is known where the metrics cannot be read."""
    for name, declared in evidence.declared.items() if not evidence.problem else ():
        seen = evidence.seen.get(name)
        if seen is None:
            yield f"{name} is not exposed"
            continue
        if seen.type != declared.type:
            yield f"{name} is a {seen.type}, declared is a {declared.type}"
        if seen.labels is not None and set(seen.labels) != set(declared.labels):
            labels = ", ".join(sorted(seen.labels)) or "none"
            yield f"{name} has the labels {labels}; declared: {', '.join(sorted(declared.labels)) or 'none'}"


def _seen(samples: Exposition | None, declared: Mapping[str, SeriesSettings]) -> dict[str, SeriesSeen]:
    metrics = samples.metrics if samples else {}
    return {
        name: SeriesSeen(
            type=metrics[name].type,
            labels=tuple(sorted(metrics[name].labels)) if metrics[name].series else None,
        )
        for name in declared
        if name in metrics
    }


def _grown(before: Scrape, after: Scrape) -> dict[str, int]:
    if before.samples is None or after.samples is None:
        return {}
    counts = {name: metric.series for name, metric in before.samples.metrics.items()}
    grown = {name: metric.series - counts.get(name, 0) for name, metric in after.samples.metrics.items()}
    return {name: number for name, number in grown.items() if number > 0}


def _marked_cases(
    suite: Suite, credentials: Credentials, number: int, seed: int
) -> list[tuple[Request, list[str]]]:
    """Golden cases with marked values as requests, each with how its values would be written."""
    if not number:
        return []
    golden = suite.config.golden
    if golden is None:
        raise ConfigError(
            file=suite.path,
            key="telemetry.marked_cases",
            problem="there are no golden cases to mark",
            allowed="0, or a section [golden]",
        )
    seeded = random.Random(seed)  # noqa: S311 - no secret comes of it
    headers = credentials.headers(golden.single.credential)
    cases = []
    for case in islice(open_golden_set(suite, golden).cases, number):
        values = marked(case.input, seeded)
        try:
            request = build(golden.single, {"input": values}, headers)
        except TemplateError as error:
            raise ConfigError(file=suite.path, key="golden.single.body", problem=str(error)) from error
        cases.append((request, list(renderings(values))))
    if not any(values for _, values in cases):
        raise ConfigError(
            file=suite.path,
            key="telemetry.marked_cases",
            value=number,
            problem="the golden cases have no value that could be found again in metrics or log",
            allowed="0, or cases with decimal numbers, texts of 16 characters or lists of 8 integers",
        )
    return cases


def _told(
    context: CheckContext, after: Scrape, values: Sequence[Sequence[str]]
) -> tuple[LogSearch, LogSearch]:
    """Whether a value stands in the metrics, and in the log; a URL has none that could be cut."""

    def tells(text: str) -> bool:
        return found(chain.from_iterable(values), text)

    metrics = LogSearch(tells(after.text), whole=True)
    has_log = context.candidate.description.kind is not Scope.URL
    return metrics, context.candidate.search_log(tells) if has_log else LogSearch(found=False, whole=True)


def _status(client: httpx.Client, request: Request, patience: Patience) -> int | None:
    """None where there is no answer, and once the patience is over."""
    if patience.over:
        return None
    try:
        return exchange(client, request, timeout_s=TIMEOUT_S, most_bytes=MOST_BYTES).status
    except httpx.HTTPError:
        patience.note(answered=False)
        return None
