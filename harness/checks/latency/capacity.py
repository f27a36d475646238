"""``latency.capacity``: the highest rate that still meets the limits, of the candidate and of the reference.

Each repeat searches both sides by bisection on a ladder of rates, one side at a time, in random order. The
repeats decide, by the order statistics of their median, which hold whatever the noise is.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import ClassVar

import numpy as np

from harness.checks.interface import CheckContext, Evidence, Stage
from harness.checks.latency.capacity_judge import judge_capacity
from harness.checks.latency.collect import require_alive
from harness.checks.latency.findings import of_check
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.planning import asked_of, load_plan, sides_of, verify_requests
from harness.checks.latency.searched import MOST_SAMPLES, CapacityEvidence, Searched, join_trials
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.steal import read_ticks, steal_share
from harness.checks.latency.trial import Trial, highest, try_rate
from harness.config.suite import Suite
from harness.load import GeneratorError, LoadGenerator, LoadPlan, Samples, Side
from harness.model import Capability, Family, Finding


class LatencyCapacity:
    """Searches both sides in alternation."""

    id: ClassVar[str] = "latency.capacity"
    family: ClassVar[Family] = Family.LATENCY
    stage: ClassVar[Stage] = Stage.PAIRED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[Evidence]] = CapacityEvidence

    def applies(self, settings: LatencySettings) -> bool:
        """Where the suite declares it."""
        return settings.capacity is not None

    def verify_inputs(self, suite: Suite, settings: LatencySettings) -> None:
        """See `verify_requests`."""
        verify_requests(suite, settings)

    def collect(self, context: CheckContext, settings: LatencySettings) -> CapacityEvidence:
        """Search until the repeats are done or the budget is spent.

        Raises:
            ConfigError: The requests cannot be made.
            TargetError: The candidate died.
            InfrastructureError: The reference died.
            GeneratorError: The load generator failed before all sides were searched once.
        """
        if settings.capacity is None:
            raise ValueError("the suite declares no capacity")
        declared, limits = settings.capacity, settings.limits
        slo_ms = {
            name: (probability, allowed.slo_ms)
            for name, (probability, allowed) in limits.by_name.items()
            if allowed.slo_ms is not None
        }
        asked, sides = asked_of(context, settings), sides_of(context)
        rng = np.random.default_rng(context.seed)
        give_up = time.monotonic() + declared.budget_s
        repeats: list[tuple[Searched, ...]] = []
        samples: list[Samples] = []
        generator_error = ""

        def search(stack: ExitStack, side: Side) -> _Search:
            plan = load_plan(
                context,
                settings,
                asked,
                (side,),
                rate_per_s=declared.least_per_s,
                block_arrivals=round(declared.least_per_s * declared.trial_s),
            ).model_copy(update={"ladder": declared.ladder})
            folder = context.folder / side.name
            folder.mkdir(exist_ok=True)
            generator = stack.enter_context(LoadGenerator(plan, folder))
            return _Search(generator, plan, slo_ms, limits.max_error_rate)

        with ExitStack() as stack:
            searches = [search(stack, side) for side in sides]
            while len(repeats) < declared.repeats and time.monotonic() < give_up:
                try:
                    found = {int(number): searches[number].repeat() for number in rng.permutation(len(sides))}
                except GeneratorError as error:
                    if not repeats:
                        raise
                    generator_error = str(error)
                    break
                repeats.append(tuple(found[number][0] for number in range(len(sides))))
                if sum(part.side.size for part in samples) < MOST_SAMPLES:
                    samples += [part for number in range(len(sides)) for part in found[number][1]]
                require_alive(context)
                context.progress(len(repeats), declared.repeats)
        return CapacityEvidence(
            expected=settings.least_repeats,
            executed=len(repeats),
            sides=tuple(side.name for side in sides),
            slo_ms={name: limit for name, (_, limit) in slo_ms.items()},
            probabilities={name: probability for name, (probability, _) in slo_ms.items()},
            max_error_rate=limits.max_error_rate,
            most_per_s=declared.least_per_s * declared.ladder[-1],
            seed=context.seed,
            checks=settings.checks,
            generator_error=generator_error,
            repeats=tuple(repeats),
            samples=join_trials(samples),
        )

    def judge(self, evidence: CapacityEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """See `harness.checks.latency.capacity_judge`."""
        return of_check(self.id, judge_capacity(evidence, limits))


class _Search:
    """A generator for one side, that waits while the other side is searched."""

    def __init__(
        self,
        generator: LoadGenerator,
        plan: LoadPlan,
        slo_ms: Mapping[str, tuple[float, float]],
        max_error_rate: float,
    ) -> None:
        self._generator = generator
        self._plan = plan
        self._slo_ms = slo_ms
        self._max_error_rate = max_error_rate
        self._tried = 0

    def repeat(self) -> tuple[Searched, list[Samples]]:
        """Search once, with arrivals that no search had before; also return the requests of each trial."""
        trials: list[Trial] = []
        parts: list[Samples] = []

        def meets(rung: int) -> bool:
            block = self._tried * len(self._plan.ladder) + rung
            self._tried += 1
            before = read_ticks()
            parts.append(self._generator.run_block(block))
            steal = steal_share(before, read_ticks())
            rate_per_s = self._plan.rate_per_s * self._plan.factor(block)
            trials.append(try_rate(parts[-1], rate_per_s, self._slo_ms, self._max_error_rate, steal))
            return trials[-1].met

        rung = highest(len(self._plan.ladder), meets)
        capacity_per_s = self._plan.rate_per_s * self._plan.factor(rung) if rung >= 0 else 0.0
        return Searched(capacity_per_s=capacity_per_s, trials=tuple(trials)), parts
