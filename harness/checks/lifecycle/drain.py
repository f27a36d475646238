"""``lifecycle.drain``: at SIGTERM it answers what it had accepted, and ends in its time."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from math import inf
from typing import ClassVar

from harness.checks.golden.payloads import payloads
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.checks.lifecycle.connection import Client, Connection, Ending, Reply
from harness.checks.lifecycle.findings import at_most, nothing_wrong
from harness.checks.lifecycle.settings import DrainSettings, LifecycleLimits, LifecycleSettings
from harness.checks.lifecycle.starting import SUCCESS, TIMEOUT_S, another, last_words, require_golden
from harness.config.suite import Suite
from harness.errors import TargetError
from harness.http_request import Request
from harness.model import Capability, Family, Finding, Model, Outcome, Utf8Text
from harness.targets.interface import Endpoint

UNAVAILABLE = 503
PAUSE_S = 0.005
HELD_S = 0.3
# What was sent so long before SIGTERM had reached the service, whatever lies between.
SURELY_READ_S = 0.1
WHOLE_OR_NONE = frozenset({Ending.ANSWERED, Ending.REFUSED, Ending.CLOSED})


class AskedWhileStopping(Model):
    """One request.

    Attributes:
        at_s: When all of it but what was held was sent, from the moment on at which the engine was asked to
            send SIGTERM; negative before. Infinite: never.
        held: Whether its last byte was sent only after SIGTERM.
    """

    at_s: float
    held: bool
    ending: Ending
    status: int | None


class DrainEvidence(Evidence):
    """Every request, and the end.

    Attributes:
        delivered_s: When SIGTERM had surely arrived, from the moment the engine was asked to send it.
        completed_s: When the last bytes of the held requests were sent, from then on.
        exit_s: From its arrival to the end.
        exit_code: None when it still ran when ``exit_s`` were over.
        logs: The end of what it wrote.
    """

    asked: tuple[AskedWhileStopping, ...]
    delivered_s: float
    completed_s: float
    exit_code: int | None
    exit_s: float
    logs: Utf8Text = ""


class LifecycleDrain:
    """Sends SIGTERM to a candidate of its own while it is asked."""

    id: ClassVar[str] = "lifecycle.drain"
    family: ClassVar[Family] = Family.LIFECYCLE
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[DrainEvidence]] = DrainEvidence

    def applies(self, settings: LifecycleSettings) -> bool:
        """Where the suite declares it."""
        return settings.drain is not None

    def verify_inputs(self, suite: Suite, _settings: LifecycleSettings) -> None:
        """The golden set has to be there.

        Raises:
            ConfigError: where it is not.
        """
        require_golden(suite)

    def collect(self, context: CheckContext, settings: LifecycleSettings) -> DrainEvidence:
        """Load it, hold some requests, terminate it, complete them.

        Raises:
            TargetError: it did not get ready, or accepts no connection.
        """
        declared = settings.drain or DrainSettings()
        requests = payloads(context.suite, context.credentials)
        with another(context) as endpoint:
            return stop_under_load(endpoint, requests, declared)

    def judge(self, evidence: DrainEvidence, limits: LifecycleLimits) -> Sequence[Finding]:
        """``answered``, ``uncut``, ``exit_code`` and ``exit``."""
        accepted = [asked for asked in evidence.asked if asked.at_s < -SURELY_READ_S]
        later = [asked for asked in evidence.asked if asked.at_s >= -SURELY_READ_S]
        unavailable = sum(map(_was_unavailable, accepted))
        refused = sum(asked.ending in {Ending.REFUSED, Ending.CLOSED} for asked in later)
        ended = evidence.exit_code is not None
        codes = ", ".join(map(str, limits.exit_codes))
        wrong_code = ended and evidence.exit_code not in limits.exit_codes
        return [
            _where_in_flight(
                nothing_wrong(
                    f"{self.id}.answered",
                    list(_lost(accepted, unavailable_held=limits.unavailable_held)),
                    good=f"of {len(accepted)} requests begun before SIGTERM "
                    f"{len(accepted) - unavailable} were answered 2xx, {unavailable} with 503",
                    samples=len(accepted),
                ),
                evidence,
                accepted,
            ),
            nothing_wrong(
                f"{self.id}.uncut",
                [_words(asked) for asked in later if not _is_clean(asked)],
                good=f"none of {len(later)} requests after it was cut off, {refused} found no connection",
                samples=len(later),
            ),
            nothing_wrong(
                f"{self.id}.exit_code",
                [f"it ended with exit code {evidence.exit_code}, allowed: {codes}"] if wrong_code else [],
                good=f"exit code {evidence.exit_code}" if ended else "it did not end by itself",
                samples=1,
            ),
            _exit(f"{self.id}.exit", evidence, limits),
        ]


def _exit(identity: str, evidence: DrainEvidence, limits: LifecycleLimits) -> Finding:
    ended = evidence.exit_code is not None
    finding = at_most(
        identity,
        evidence.exit_s if ended else float("inf"),
        limits.exit_s,
        unit="s",
        what="from SIGTERM to its end it took",
        samples=1,
    )
    if ended:
        return finding
    why = f"it had not ended {evidence.exit_s:.4g} s after SIGTERM, allowed {limits.exit_s:g}"
    return finding.model_copy(update={"message": why})


def _where_in_flight(
    finding: Finding, evidence: DrainEvidence, accepted: Sequence[AskedWhileStopping]
) -> Finding:
    """A pass shows nothing where no request was surely in flight when SIGTERM arrived."""
    in_flight = evidence.completed_s > evidence.delivered_s and any(asked.held for asked in accepted)
    if in_flight or finding.outcome is not Outcome.PASS:
        return finding
    why = "no request was surely in flight when SIGTERM arrived"
    return finding.model_copy(update={"outcome": Outcome.INCONCLUSIVE, "message": why})


def _lost(accepted: Sequence[AskedWhileStopping], *, unavailable_held: bool) -> Iterator[str]:
    for asked in accepted:
        answered = asked.ending is Ending.ANSWERED and asked.status in SUCCESS
        if not (answered or (unavailable_held and _was_unavailable(asked))):
            yield _words(asked)


def _was_unavailable(asked: AskedWhileStopping) -> bool:
    """Whether one whose last byte came late was cleanly turned away."""
    return asked.held and asked.ending is Ending.ANSWERED and asked.status == UNAVAILABLE


def _is_clean(asked: AskedWhileStopping) -> bool:
    unavailable = asked.status is None or asked.status in SUCCESS or asked.status == UNAVAILABLE
    return asked.ending in WHOLE_OR_NONE and unavailable


def _words(asked: AskedWhileStopping) -> str:
    when = f"{abs(asked.at_s):.3f} s {'before' if asked.at_s < 0 else 'after'} SIGTERM"
    held = ", its last byte after it" if asked.held else ""
    status = "" if asked.status is None else f" HTTP {asked.status}"
    return f"sent {when}{held}: {asked.ending}{status}"


def stop_under_load(
    endpoint: Endpoint, requests: Sequence[Request], declared: DrainSettings
) -> DrainEvidence:
    """Hold requests, ask others meanwhile, send SIGTERM, and complete the held ones once it has arrived.

    Raises:
        TargetError: it accepts no connection.
        InfrastructureError: the engine failed.
    """
    stopped = threading.Event()
    with ThreadPoolExecutor(declared.clients + 1) as pool, ExitStack() as stack:
        stack.callback(stopped.set)  # before the pool waits for them
        clients = [
            pool.submit(_ask_on, endpoint.base_url, requests, stopped) for _ in range(declared.clients)
        ]
        time.sleep(declared.load_s)
        held = []
        for request in islice(cycle(requests), declared.held):
            try:
                connection = stack.enter_context(Connection(endpoint.base_url, TIMEOUT_S))
            except OSError as error:
                raise TargetError(f"it accepted no connection: {error}", logs=endpoint.logs()) from error
            held.append((time.monotonic(), connection.hold(request)))
        time.sleep(HELD_S)
        signal = _Signal()
        end = pool.submit(signal.send, endpoint, declared.wait_s)
        signal.arrived.wait()
        time.sleep(HELD_S)
        completed_at = time.monotonic()
        completed = [(at, True, complete()) for at, complete in held]
        code, ended = end.result()
        stopped.set()
        asked = [
            *completed,
            *((reply.sent_at or inf, False, reply) for client in clients for reply in client.result()),
        ]
        return DrainEvidence(
            expected=declared.held + 1,
            executed=len(asked),
            asked=tuple(
                AskedWhileStopping(
                    at_s=round(at - signal.asked_at, 6), held=held, ending=reply.ending, status=reply.status
                )
                for at, held, reply in asked
            ),
            delivered_s=round(signal.arrived_at - signal.asked_at, 6),
            completed_s=round(completed_at - signal.asked_at, 6),
            exit_code=code,
            exit_s=round(ended - signal.arrived_at, 3),
            logs=last_words(endpoint.logs()),
        )


class _Signal:
    """SIGTERM, and when it was on its way: between the two times it arrived."""

    def __init__(self) -> None:
        self.asked_at = self.arrived_at = time.monotonic()
        self.arrived = threading.Event()

    def send(self, endpoint: Endpoint, wait_s: float) -> tuple[int | None, float]:
        """In a thread of its own; gives the exit code and when it had ended."""
        try:
            return endpoint.terminate(wait_s, self._has_arrived), time.monotonic()
        finally:
            self.arrived.set()  # whoever waits sees the error

    def _has_arrived(self) -> None:
        self.arrived_at = time.monotonic()
        self.arrived.set()


def _ask_on(base_url: str, requests: Sequence[Request], stopped: threading.Event) -> list[Reply]:
    """Ask with small pauses until told to stop, or nobody accepts."""
    replies = []
    with Client(base_url, TIMEOUT_S) as client:
        for request in cycle(requests):
            if stopped.is_set():
                break
            reply = client.ask(request)
            replies.append(reply)
            if reply.ending is Ending.REFUSED:
                break
            time.sleep(PAUSE_S)
    return replies
