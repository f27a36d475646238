"""``lifecycle.soak``: through many requests it keeps its memory, its health and its answers."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from itertools import cycle
from math import ceil, isfinite
from typing import ClassVar

from harness.checks.golden.payloads import payloads
from harness.checks.interface import EVIDENCE_FILE, CheckContext, Evidence, Stage
from harness.checks.lifecycle.connection import Client, Reply
from harness.checks.lifecycle.findings import nothing_wrong
from harness.checks.lifecycle.settings import LifecycleLimits, LifecycleSettings, SoakSettings
from harness.checks.lifecycle.starting import TIMEOUT_S, ask_once, require_golden, succeeded, told
from harness.config.suite import Suite
from harness.errors import TargetError
from harness.http_request import Request
from harness.model import Capability, Family, Finding, Model, Outcome
from harness.stats.slope import theil_sen, theil_sen_interval
from harness.targets.interface import Endpoint

PARTS = 20
LEAST_SAMPLES = 10
KIB = 1024
WATCH_S = 0.02
CONFIDENCE = 0.95
NAP_S = 0.005
HOST_LATE_MS = 50.0
LATE_SHARE = 0.05


class MemorySeen(Model):
    """What it held when so many requests had been answered."""

    requests: int
    bytes: int


class ReadinessSeen(Model):
    """One question for its readiness under load.

    Attributes:
        overslept_ms: By how much a nap of 5 ms beside it was too long: the lateness of this host.
    """

    status: int | None
    milliseconds: float
    overslept_ms: float


class SoakEvidence(Evidence):
    """What became of it.

    Attributes:
        failures: How often each other answer than 2xx came, in words.
        memory: In the order of the requests; empty where the engine does not tell.
        warm_up: Requests before its memory counts.
        readiness: While it was loaded.
        ready_status: The status that says that it is ready.
    """

    failures: dict[str, int]
    memory: tuple[MemorySeen, ...]
    warm_up: int
    readiness: tuple[ReadinessSeen, ...]
    ready_status: int


class LifecycleSoak:
    """Asks golden cases again and again, and looks at memory and readiness meanwhile."""

    id: ClassVar[str] = "lifecycle.soak"
    family: ClassVar[Family] = Family.LIFECYCLE
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[SoakEvidence]] = SoakEvidence

    def applies(self, settings: LifecycleSettings) -> bool:
        """Where the suite declares it."""
        return settings.soak is not None

    def verify_inputs(self, suite: Suite, _settings: LifecycleSettings) -> None:
        """The golden set has to be there.

        Raises:
            ConfigError: where it is not.
        """
        require_golden(suite)

    def collect(self, context: CheckContext, settings: LifecycleSettings) -> SoakEvidence:
        """Ask.

        Raises:
            TargetError: the candidate died.
        """
        declared = settings.soak or SoakSettings()
        service = context.suite.config.service
        requests = payloads(context.suite, context.credentials)
        base_url = context.candidate.base_url
        load = _Load(requests, declared.budget_s)
        memory: list[MemorySeen] = []
        readiness: list[ReadinessSeen] = []
        with ThreadPoolExecutor(declared.connections) as pool, ExitStack() as stack:
            clients = [stack.enter_context(Client(base_url, TIMEOUT_S)) for _ in range(declared.connections)]
            # A reading between two parts of the load: however slow the engine is, none is left out.
            for part in range(PARTS):
                memory += _memory(context.candidate, load.answered)
                load.hand_out(declared.requests * (part + 1) // PARTS - declared.requests * part // PARTS)
                busy = [pool.submit(load.ask_on, client) for client in clients]
                readiness.append(_readiness(base_url, service.ready_path))  # however short the part is
                while wait(busy, timeout=WATCH_S).not_done:
                    readiness.append(_readiness(base_url, service.ready_path))
                for asked in busy:
                    asked.result()
                context.progress(load.answered, declared.requests)
        if not context.candidate.alive():
            raise TargetError("it stopped under the load of a soak", logs=context.candidate.logs())
        return SoakEvidence(
            expected=declared.requests,
            executed=load.answered,
            failures=dict(load.failures),
            memory=tuple(memory),
            warm_up=int(declared.requests * declared.warm_up_share),
            readiness=tuple(readiness),
            ready_status=service.ready_status,
        )

    def judge(self, evidence: SoakEvidence, limits: LifecycleLimits) -> Sequence[Finding]:
        """``answers``: all 2xx; ``memory``: it does not grow; ``ready``: always, and in time."""
        counted = [seen for seen in evidence.memory if seen.requests >= evidence.warm_up]
        return [
            nothing_wrong(
                f"{self.id}.answers",
                [f"{times} requests got {what}" for what, times in sorted(evidence.failures.items())],
                good=f"{evidence.executed} requests were answered",
                samples=evidence.executed,
            ),
            _growth(f"{self.id}.memory", counted, limits.growth_kib, evidence.expected),
            _ready(f"{self.id}.ready", evidence, limits.ready_ms),
        ]


def _growth(identity: str, memory: Sequence[MemorySeen], most_kib: float, requests: int) -> Finding:
    if len(memory) < LEAST_SAMPLES:
        return Finding(
            id=identity,
            outcome=Outcome.INCONCLUSIVE,
            message=f"its memory was seen {len(memory)} times after the warm-up, {LEAST_SAMPLES} are needed",
            samples=len(memory),
        )
    x, y = [seen.requests / 1000 for seen in memory], [seen.bytes / KIB for seen in memory]
    slope, (lower, upper) = theil_sen(x, y), theil_sen_interval(x, y, CONFIDENCE)
    message = f"its memory grew by {slope:.4g} KiB per 1000 requests ({lower:.4g} to {upper:.4g})"
    message += f", allowed {most_kib:g}"
    if lower > most_kib:
        outcome = Outcome.FAIL
    elif upper <= most_kib:
        outcome = Outcome.PASS
    else:
        outcome = Outcome.INCONCLUSIVE
        message += f"; {_would_tell(requests, slope, (lower, upper), most_kib)}"
    return Finding(
        id=identity,
        outcome=outcome,
        message=message,
        observed=slope,
        limit=most_kib,
        unit="KiB per 1000 requests",
        samples=len(memory),
        confidence=CONFIDENCE,
        evidence=f"{LifecycleSoak.id}/{EVIDENCE_FILE}",
    )


def _would_tell(requests: int, slope: float, bounds: tuple[float, float], most_kib: float) -> str:
    """The readings are as many however many the requests, so that the interval shrinks as they grow."""
    apart = abs(most_kib - slope)
    width = bounds[1] - slope if slope <= most_kib else slope - bounds[0]
    if not apart or not isfinite(width):
        return "no number of requests would tell"
    return f"about {ceil(requests * width / apart / 1000) * 1000} requests would tell (soak.requests)"


def _ready(identity: str, evidence: SoakEvidence, most_ms: float) -> Finding:
    """Every answer has to say ready; a few may be late, as one delay of the host makes one so."""
    seen = evidence.readiness
    unready = [
        f"readiness was {'not answered' if each.status is None else f'HTTP {each.status}'}"
        f" after {each.milliseconds:.0f} ms"
        for each in seen
        if each.status != evidence.ready_status
    ]
    late = [
        f"readiness was HTTP {each.status} after {each.milliseconds:.0f} ms"
        for each in seen
        if each.status == evidence.ready_status and each.milliseconds > most_ms
    ]
    often = len(late) > LATE_SHARE * len(seen)
    good = f"ready all the while, {len(late)} of {len(seen)} times later than {most_ms:g} ms"
    finding = nothing_wrong(identity, unready + (late if often else []), good=good, samples=len(seen))
    overslept = sum(each.overslept_ms > HOST_LATE_MS for each in seen)
    if unready or not often or overslept <= LATE_SHARE * len(seen):
        return finding
    why = f"late {len(late)} of {len(seen)} times, and this host itself {overslept} times"
    return finding.model_copy(update={"outcome": Outcome.INCONCLUSIVE, "message": why})


class _Load:
    """Requests that several threads share, part by part, until the time is over."""

    def __init__(self, requests: Sequence[Request], budget_s: float) -> None:
        self._requests = cycle(requests)
        self._left = 0
        self._give_up = time.monotonic() + budget_s
        self._lock = threading.Lock()
        self.answered = 0
        self.failures: Counter[str] = Counter()

    def hand_out(self, number: int) -> None:
        """So many requests more may be asked."""
        self._left += number

    def ask_on(self, client: Client) -> None:
        """In a thread of its own, until all that was handed out is asked."""
        for request in self._shared_out():
            self._count(client.ask(request))

    def _shared_out(self) -> Iterator[Request]:
        while time.monotonic() < self._give_up:
            with self._lock:
                if not self._left:
                    return
                self._left -= 1
                request = next(self._requests)
            yield request

    def _count(self, reply: Reply) -> None:
        with self._lock:
            if succeeded(reply):
                self.answered += 1
            else:
                self.failures[told(reply)] += 1


def _readiness(base_url: str, path: str) -> ReadinessSeen:
    started = time.monotonic()
    reply = ask_once(base_url, Request("GET", path))
    answered = time.monotonic()
    time.sleep(NAP_S)
    overslept_s = time.monotonic() - answered - NAP_S
    return ReadinessSeen(
        status=reply.status,
        milliseconds=round((answered - started) * 1000, 3),
        overslept_ms=round(overslept_s * 1000, 3),
    )


def _memory(candidate: Endpoint, answered: int) -> list[MemorySeen]:
    held = candidate.memory_bytes()
    return [] if held is None else [MemorySeen(requests=answered, bytes=held)]
