"""``lifecycle.refusal``: what it must not serve it refuses to start with, and says why."""

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

from harness.checks.golden.payloads import payloads
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.checks.lifecycle.findings import nothing_wrong
from harness.checks.lifecycle.settings import LifecycleLimits, LifecycleSettings, RefusalSettings
from harness.checks.lifecycle.starting import another, ask_once, last_words, require_golden, succeeded
from harness.config.suite import Suite
from harness.errors import ConfigError
from harness.http_request import Request
from harness.model import Capability, Family, Finding, Model, Utf8Text
from harness.targets.interface import Endpoint

POLL_S = 0.02
PROBE_S = 2.0
AT_A_TIME = 2
KILLED = 128
"""Exit codes from here on are of signals, as of want of memory."""


class RefusalSeen(Model):
    """One start that has to be refused.

    Attributes:
        expected_code: None for any but 0 and that of a signal.
        exit_code: None if it never ended while it was watched.
        after_s: From its start to its end, or to the end of the watch.
        ready: Whether it ever said that it was ready.
        answered: Whether it ever answered a prediction.
        told: Whether what it wrote says why, as declared; None where that is not.
        logs: The end of what it wrote.
    """

    variant: str
    expected_code: int | None
    exit_code: int | None
    after_s: float
    ready: bool
    answered: bool
    told: bool | None
    logs: Utf8Text


class RefusalEvidence(Evidence):
    """Every start that has to be refused."""

    refusals: tuple[RefusalSeen, ...]


class LifecycleRefusal:
    """Starts the variants that the suite declares to be refused."""

    id: ClassVar[str] = "lifecycle.refusal"
    family: ClassVar[Family] = Family.LIFECYCLE
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[RefusalEvidence]] = RefusalEvidence

    def applies(self, settings: LifecycleSettings) -> bool:
        """Where the suite declares one."""
        return bool(settings.refusals)

    def verify_inputs(self, suite: Suite, settings: LifecycleSettings) -> None:
        """Every variant has to be declared, and the golden set be there.

        Raises:
            ConfigError: where one is not.
        """
        require_golden(suite)
        variants = suite.config.service.variants
        for index, refusal in enumerate(settings.refusals):
            if refusal.variant not in variants:
                raise ConfigError(
                    file=suite.path,
                    key=f"lifecycle.refusals.{index}.variant",
                    value=refusal.variant,
                    problem="no such variant",
                    allowed=f"a name under [service.variants]: {', '.join(variants) or 'none is declared'}",
                )

    def collect(self, context: CheckContext, settings: LifecycleSettings) -> RefusalEvidence:
        """Start each, and watch it until it ends or serves.

        Raises:
            TargetError: the engine could not start its container at all.
        """
        request = payloads(context.suite, context.credentials)[0]
        readiness = Request("GET", context.suite.config.service.ready_path)

        def watched(refusal: RefusalSettings) -> RefusalSeen:
            with another(context, refusal.variant, until_ready=False) as endpoint:
                return _watch(
                    endpoint, refusal, readiness, request, context.suite.config.service.ready_status
                )

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            seen = list(pool.map(watched, settings.refusals))
        context.progress(len(seen), len(settings.refusals))
        return RefusalEvidence(expected=len(settings.refusals), executed=len(seen), refusals=tuple(seen))

    def judge(self, evidence: RefusalEvidence, limits: LifecycleLimits) -> Sequence[Finding]:
        """One finding for each."""
        return [
            nothing_wrong(
                f"{self.id}.{seen.variant}",
                list(_faults(seen, limits)),
                good=f"refused after {seen.after_s:.2f} s with exit code {seen.exit_code}",
                samples=1,
            )
            for seen in evidence.refusals
        ]


def _faults(seen: RefusalSeen, limits: LifecycleLimits) -> Iterator[str]:
    if seen.ready:
        yield "it said that it was ready"
    if seen.answered:
        yield "it answered a prediction"
    if seen.exit_code is None:
        if not seen.ready and not seen.answered:
            yield f"it neither served nor ended within {seen.after_s:.1f} s"
        return
    if seen.exit_code == 0 and seen.expected_code is None:
        yield "it ended with exit code 0"
    elif seen.expected_code is None and not 0 < seen.exit_code < KILLED:
        yield f"it was killed, with exit code {seen.exit_code}, and refused nothing"
    elif seen.expected_code not in {None, seen.exit_code}:
        yield f"it ended with exit code {seen.exit_code}, declared is {seen.expected_code}"
    if seen.after_s > limits.refuse_s:
        yield f"it ended after {seen.after_s:.2f} s, allowed are {limits.refuse_s:g}"
    if seen.told is False:
        yield "what it wrote does not say why"


def _watch(
    endpoint: Endpoint, refusal: RefusalSettings, readiness: Request, request: Request, ready_status: int
) -> RefusalSeen:
    started = time.monotonic()
    ready = answered = False
    code = endpoint.exit_code()
    while code is None and not (ready and answered) and time.monotonic() - started < refusal.wait_s:
        ready = ready or ask_once(endpoint.base_url, readiness, PROBE_S).status == ready_status
        answered = answered or succeeded(ask_once(endpoint.base_url, request, PROBE_S))
        time.sleep(POLL_S)
        code = endpoint.exit_code()
    after_s = time.monotonic() - started
    logs = endpoint.logs()
    return RefusalSeen(
        variant=refusal.variant,
        expected_code=refusal.exit_code,
        exit_code=code,
        after_s=round(after_s, 3),
        ready=ready,
        answered=answered,
        told=None if refusal.log is None else re.search(refusal.log, logs) is not None,
        logs=last_words(logs),
    )
