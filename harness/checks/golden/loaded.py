"""``golden.loaded``: the cases once more, while an open-loop load goes on beside them."""

import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import ClassVar, Self

import numpy as np

from harness.checks.golden.evidence import BesideLoad, LoadedEvidence, evidence_path
from harness.checks.golden.golden_set import Case, Cases, load_golden_set, open_golden_set
from harness.checks.golden.judge import judge_cases
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.one_by_one import ask_one_by_one
from harness.checks.golden.payloads import single_requests
from harness.checks.golden.settings import GoldenSettings
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.load import LoadGenerator, LoadPlan, Payload, Side
from harness.model import Capability, Family, Finding, Outcome

MOST_PAYLOADS = 256
LEAST_S = 1.0
BLOCK_S = 0.5
MOST_FAILED_SHARE = 0.01


class GoldenLoaded:
    """Asks the cases one by one beside a load of the same requests."""

    id: ClassVar[str] = "golden.loaded"
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[LoadedEvidence]] = LoadedEvidence

    def applies(self, settings: GoldenSettings) -> bool:
        """Whether the suite declares a load."""
        return settings.loaded is not None

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the golden set.

        Raises:
            ConfigError: when it is wrong.
        """
        load_golden_set(suite, settings)

    def collect(self, context: CheckContext, settings: GoldenSettings) -> LoadedEvidence:
        """Ask every case while the load goes on.

        Raises:
            ConfigError: when the golden set is wrong.
            GeneratorError: when the load did not start.
            TargetError: when the candidate died.
            ValueError: when the settings declare no load; see :meth:`applies`.
        """
        if settings.loaded is None:
            raise ValueError("the suite declares no load")
        golden = open_golden_set(context.suite, settings)
        plan = _plan(context, settings, golden.cases, settings.loaded.rate_per_s)
        with LoadGenerator(plan, context.folder) as generator:
            with _Beside(generator) as load:
                cases = _rounds(golden.cases, LEAST_S)
                seen = ask_one_by_one(context, settings, golden.header, cases, len(golden.cases))
            return LoadedEvidence(**dict(seen), beside=load.seen(settings.loaded.rate_per_s))

    def judge(self, evidence: LoadedEvidence, limits: GoldenLimits) -> Sequence[Finding]:
        """The findings of the cases, and one for whether there was a load."""
        return [*judge_cases(self.id, evidence, evidence.limits(limits)), _load(self.id, evidence.beside)]


def _rounds(cases: Cases, least_s: float) -> Iterator[Case]:
    """All cases, again and again for so long that a few are not over before there is a load."""
    give_up = time.monotonic() + least_s
    while True:
        yield from cases
        if time.monotonic() >= give_up:
            return


def _plan(context: CheckContext, settings: GoldenSettings, cases: Cases, rate_per_s: float) -> LoadPlan:
    asked = single_requests(context.suite, settings, islice(cases, MOST_PAYLOADS), context.credentials)
    return LoadPlan(
        sides=(Side(name="candidate", base_url=context.candidate.base_url),),
        payloads=tuple(
            Payload(
                method=request.method, path=request.path, headers=dict(request.headers), body=request.body
            )
            for _, request in asked
        ),
        rate_per_s=rate_per_s,
        block_arrivals=max(1, round(rate_per_s * BLOCK_S)),
        seed=context.seed,
        timeout_s=settings.timeout_s,
    )


class _Beside:
    """Has blocks sent, one after the other, by a thread of its own, for as long as it is entered."""

    def __init__(self, generator: LoadGenerator) -> None:
        self._generator = generator
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, name="golden-load", daemon=True)
        self._requests = self._failed = 0
        self._error = ""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        block = 0
        while not self._stop.is_set():
            try:
                samples = self._generator.run_block(block)
            except Exception as error:  # noqa: BLE001 - whatever ended the load, there is none any more
                self._error = f"{type(error).__name__}: {error}"
                return
            self._requests += samples.failed.size
            self._failed += int(np.count_nonzero(samples.failed))
            block += 1

    def seen(self, rate_per_s: float) -> BesideLoad:
        """What the load was, once it is over."""
        return BesideLoad(
            rate_per_s=rate_per_s, requests=self._requests, failed=self._failed, problem=self._error
        )


def _load(check_id: str, load: BesideLoad) -> Finding:
    """Without a load beside them the cases show what ``golden.single`` shows."""
    message = f"{load.requests} requests beside the cases, at {load.rate_per_s:g}/s; {load.failed} failed"
    if load.failed > MOST_FAILED_SHARE * load.requests:
        message += f", at most {MOST_FAILED_SHARE:.0%} may"
    held = load.requests > 0 and load.failed <= MOST_FAILED_SHARE * load.requests and not load.problem
    if load.problem:
        message += f"; then {load.problem}"
    return Finding(
        id=f"{check_id}.load",
        outcome=Outcome.PASS if held else Outcome.INCONCLUSIVE,
        message=message,
        observed=load.requests,
        unit="requests beside the cases",
        samples=load.requests,
        evidence=evidence_path(check_id),
    )
