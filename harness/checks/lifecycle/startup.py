"""``lifecycle.startup``: it gets ready in time, and when it says so it is."""

import math
import time
from collections.abc import Sequence
from statistics import median
from typing import ClassVar

import numpy as np

from harness.checks.golden.payloads import payloads
from harness.checks.interface import EVIDENCE_FILE, CheckContext, Evidence, Stage, StartAnother
from harness.checks.lifecycle.findings import at_most, nothing_wrong
from harness.checks.lifecycle.settings import (
    LEAST_STARTS,
    LifecycleLimits,
    LifecycleSettings,
    StartupSettings,
)
from harness.checks.lifecycle.starting import (
    another,
    ask_once,
    last_words,
    require_golden,
    succeeded,
    told,
)
from harness.config.service import ServiceSettings
from harness.config.suite import Suite
from harness.errors import InfrastructureError
from harness.http_request import Request
from harness.model import Capability, Family, Finding, Model, Outcome, Utf8Text
from harness.stats.judgement import Spending
from harness.stats.shift import hodges_lehmann
from harness.targets.interface import Endpoint

POLL_S = 0.02
PROBE_S = 2.0
LEAST_S = 0.001
"""Of a start: they are kept to the millisecond, and a ratio takes more than nothing."""
CONFIDENCE = 0.95
"""Of the interval of their ratio, both sides together."""
SPENDING = Spending(within=(1.0 - CONFIDENCE) / 2.0, beyond=(1.0 - CONFIDENCE) / 2.0)


class StartSeen(Model):
    """One start.

    Attributes:
        ready_s: From its start until it said that it was ready; None if it never did.
        first_answer_ms: Of the first prediction after that; None without a whole 2xx answer.
        asked: Predictions after that.
        untrue: What was seen while it had said that it was ready: other than 2xx, or ready no more.
        problem: Why it never was ready; empty when it was.
        logs: The end of what it wrote, where something was wrong.
    """

    ready_s: float | None = None
    first_answer_ms: float | None = None
    asked: int = 0
    untrue: tuple[str, ...] = ()
    problem: Utf8Text = ""
    logs: Utf8Text = ""


class StartupEvidence(Evidence):
    """Every start.

    Attributes:
        reference_s: Seconds until the reference was ready, of each of its starts; empty where it is no
            container, None where they are not compared.
    """

    starts: tuple[StartSeen, ...]
    reference_s: tuple[float, ...] | None = None


class LifecycleStartup:
    """Starts the candidate, polls its readiness from the first moment, and asks as soon as it is ready."""

    id: ClassVar[str] = "lifecycle.startup"
    family: ClassVar[Family] = Family.LIFECYCLE
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[StartupEvidence]] = StartupEvidence

    def applies(self, settings: LifecycleSettings) -> bool:
        """Where the suite declares it."""
        return settings.startup is not None

    def verify_inputs(self, suite: Suite, _settings: LifecycleSettings) -> None:
        """The golden set has to be there.

        Raises:
            ConfigError: where it is not.
        """
        require_golden(suite)

    def collect(self, context: CheckContext, settings: LifecycleSettings) -> StartupEvidence:
        """Start it some times, and where they are compared the reference in turn with it.

        Raises:
            TargetError: the engine could not start its container at all.
            InfrastructureError: the reference did not get ready.
        """
        declared = settings.startup or StartupSettings()
        requests = payloads(context.suite, context.credentials)
        starts: list[StartSeen] = []
        reference_s: list[float] | None = None if settings.limits.startup_margin is None else []

        def start_candidate() -> None:
            with another(context, until_ready=False) as endpoint:
                starts.append(_watch(endpoint, requests, context.suite.config.service, declared))

        def start_reference() -> None:
            if reference_s is not None and context.start_reference is not None:
                reference_s.append(_reference_ready_s(context, context.start_reference))

        for number in range(1, declared.starts + 1):
            # The second of two finds caches that the first filled, so each is first in turn.
            in_turn = (start_candidate, start_reference)
            for start in in_turn if number % 2 else reversed(in_turn):
                start()
            context.progress(number, declared.starts)
        return StartupEvidence(
            expected=declared.starts,
            executed=len(starts),
            starts=tuple(starts),
            reference_s=None if reference_s is None else tuple(reference_s),
        )

    def judge(self, evidence: StartupEvidence, limits: LifecycleLimits) -> Sequence[Finding]:
        """``ready``: always in time; ``true``: and then it answers; ``first_answer``: and at once."""
        starts = evidence.starts
        never = [start.problem for start in starts if start.ready_s is None]
        ready_s = [start.ready_s for start in starts if start.ready_s is not None]
        answers_ms = [start.first_answer_ms for start in starts if start.first_answer_ms is not None]
        ready = f"{self.id}.ready"
        return [
            nothing_wrong(ready, never, good="", samples=len(starts))
            if never
            else at_most(
                ready,
                max(ready_s, default=None),
                limits.ready_s,
                unit="s",
                what="slowest of its starts took",
                samples=len(ready_s),
            ),
            nothing_wrong(
                f"{self.id}.true",
                [untrue for start in starts for untrue in start.untrue],
                good="when it said that it was ready, it answered",
                samples=sum(start.asked for start in starts),
            ),
            at_most(
                f"{self.id}.first_answer",
                max(answers_ms, default=None),
                limits.first_answer_ms,
                unit="ms",
                what="slowest first answer once it was ready took",
                samples=len(answers_ms),
            ),
            *_ratio(f"{self.id}.ratio", ready_s, evidence.reference_s, limits.startup_margin),
        ]


def _ratio(
    identity: str, ready_s: Sequence[float], reference_s: Sequence[float] | None, margin: float | None
) -> list[Finding]:
    """By how much its starts take longer than the reference's, where a margin is declared."""
    if margin is None:
        return []
    if reference_s is None:
        message = "the reference was not started beside it, since the run's own policy did not compare them"
        return [Finding(id=identity, outcome=Outcome.INCONCLUSIVE, message=message)]
    if not reference_s:
        message = "there is no container of a reference to compare its starts with"
        missing = Capability.REFERENCE_CONTAINER
        return [Finding(id=identity, outcome=Outcome.NOT_APPLICABLE, message=message, missing=missing)]
    if min(len(ready_s), len(reference_s)) < LEAST_STARTS:
        message = f"{len(ready_s)} starts got ready, it takes {LEAST_STARTS} of either side to compare them"
        return [Finding(id=identity, outcome=Outcome.INCONCLUSIVE, message=message, samples=len(ready_s))]
    own, theirs = (np.log(np.maximum(each, LEAST_S)) for each in (ready_s, reference_s))
    ratio, lower, upper = (math.exp(shift) for shift in hodges_lehmann(theirs, own, SPENDING))
    limit = 1.0 + margin
    outcome = Outcome.PASS if upper <= limit else Outcome.FAIL if lower > limit else Outcome.INCONCLUSIVE
    message = (
        f"its starts took {ratio:.3f} times as long as the reference's (medians {median(ready_s):.2f} s and "
        f"{median(reference_s):.2f} s; interval {lower:.3f} to {upper:.3f}), allowed are {limit:.3f}"
    )
    return [
        Finding(
            id=identity,
            outcome=outcome,
            message=message + ("; more starts may decide" if outcome is Outcome.INCONCLUSIVE else ""),
            observed=ratio,
            limit=limit,
            unit="times the reference",
            samples=len(ready_s),
            lower=lower,
            upper=upper,
            confidence=CONFIDENCE,
            evidence=f"{LifecycleStartup.id}/{EVIDENCE_FILE}",
        )
    ]


def _reference_ready_s(context: CheckContext, start: StartAnother) -> float:
    """Until a reference of its own was ready, seen as the candidate's starts are."""
    service = context.suite.config.service
    with start(None, until_ready=False) as endpoint:
        ready_s = _until_ready(endpoint, service)
        if isinstance(ready_s, str):
            raise InfrastructureError(f"the reference, started again: {ready_s}")
    return round(ready_s, 3)


def _until_ready(endpoint: Endpoint, service: ServiceSettings) -> float | str:
    """The seconds until it said that it was ready, or why it never did."""
    readiness = Request("GET", service.ready_path)
    started = time.monotonic()
    while ask_once(endpoint.base_url, readiness, PROBE_S).status != service.ready_status:
        if (code := endpoint.exit_code()) is not None:
            return f"exit code {code}"
        if time.monotonic() - started > service.ready_timeout_s:
            return f"not ready within {service.ready_timeout_s:g} s"
        time.sleep(POLL_S)
    return time.monotonic() - started


def _watch(
    endpoint: Endpoint, requests: Sequence[Request], service: ServiceSettings, declared: StartupSettings
) -> StartSeen:
    """Until some time after it was ready. Nothing is predicted before: that could be what loads a model."""
    readiness = Request("GET", service.ready_path)
    started = time.monotonic()
    ready_s = _until_ready(endpoint, service)
    if isinstance(ready_s, str):
        return StartSeen(problem=ready_s, logs=last_words(endpoint.logs()))
    untrue = []
    first_answer_ms = None
    asked = 0
    give_up = time.monotonic() + declared.watch_s
    while time.monotonic() < give_up or not asked:
        begun = time.monotonic()
        reply = ask_once(endpoint.base_url, requests[asked % len(requests)])
        if not asked and succeeded(reply):
            first_answer_ms = (time.monotonic() - begun) * 1000
        if not succeeded(reply):
            untrue.append(f"ready, and a prediction got {told(reply)}")
        if (still := ask_once(endpoint.base_url, readiness, PROBE_S)).status != service.ready_status:
            untrue.append(f"ready, and {begun - started - ready_s:.2f} s later readiness was {told(still)}")
        asked += 1
        time.sleep(POLL_S)
    return StartSeen(
        ready_s=round(ready_s, 3),
        first_answer_ms=first_answer_ms,
        asked=asked,
        untrue=tuple(untrue),
        logs=last_words(endpoint.logs()) if untrue else "",
    )
