"""``latency.soak``: a long load, and whether times or memory grow with the requests."""

import math
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import evidence_of, send_blocks
from harness.checks.latency.decided import Decided, Judged, decided
from harness.checks.latency.endpoints import report_endpoints
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import OUTCOMES, finding, of_check
from harness.checks.latency.judge import Limit, judge
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.loads import SOAK_BLOCKS
from harness.checks.latency.planning import asked_of, load_plan, sides_of, verify_requests
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.thirds import machine_alike
from harness.checks.latency.usage_judge import not_told
from harness.checks.latency.view import View
from harness.config.suite import Suite
from harness.load.samples import MS
from harness.model import Capability, Family, Finding, Outcome
from harness.stats.growth import at_least, judge_growth, of_logarithms
from harness.stats.looks import Looks
from harness.stats.quantiles import quantile

KIB = 1024.0
LEAST_READINGS = 10
ENDS = 3
"""Readings at either end, whose median no single one carries away."""
TRENDS = {"p50": 0.50, "p95": 0.95}
TREND_GROUPS = 30
"""Groups of consecutive blocks, which the tests of a trend take as independent: the fewest with which a third
against another shows a step at the error that many limits leave."""


class LatencySoak:
    """Loads the candidate, and the reference beside it, for as long as the suite says."""

    id: ClassVar[str] = "latency.soak"
    family: ClassVar[Family] = Family.LATENCY
    stage: ClassVar[Stage] = Stage.PAIRED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[LatencyEvidence]] = LatencyEvidence

    def applies(self, settings: LatencySettings) -> bool:
        """Where the suite declares it."""
        return settings.soak is not None

    def verify_inputs(self, suite: Suite, settings: LatencySettings) -> None:
        """See `verify_requests`."""
        verify_requests(suite, settings)

    def collect(self, context: CheckContext, settings: LatencySettings) -> LatencyEvidence:
        """Send all blocks: what grows slowly is seen at the end; raises what `send_blocks` does."""
        if settings.soak is None:
            raise ValueError("the suite declares no soak")
        asked = asked_of(context, settings)
        plan = load_plan(
            context,
            settings,
            asked,
            sides_of(context),
            rate_per_s=settings.soak.rate_per_s,
            block_arrivals=settings.soak.block_arrivals,
        )
        sent = send_blocks(context, plan, Looks(blocks=SOAK_BLOCKS), lambda _sent: False)
        expected = SOAK_BLOCKS * plan.block_arrivals
        return evidence_of(
            plan, asked, sent, planned_blocks=SOAK_BLOCKS, expected=expected, checks=settings.checks
        )

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """As `latency.paired` is judged, and what grows; a candidate alone is compared with nothing."""
        growing: list[Limit] = [*(partial(_slower, name=name) for name in TRENDS), _memory]
        judged = [*judge(evidence, limits, growing, budget="soak.duration_s"), *report_endpoints(evidence)]
        return of_check(self.id, [item for item in judged if item.missing is not Capability.REFERENCE])


def _slower(evidence: LatencyEvidence, view: View, *, name: str) -> Judged:
    """Judge how much slower it got, gradually or all at once, whichever is shown to be more.

    Where a reference is soaked beside it, the ratio of both is judged: what the machine does to one it does
    to the other. Alone, a machine that got slower itself excuses it.
    """
    limit, probability = view.limits.soak.max_slowdown, TRENDS[name]
    sides = [evidence.candidate] if evidence.reference is None else [evidence.candidate, evidence.reference]
    of_block = np.array([_of_block(evidence, side, probability) for side in sides])
    if evidence.blocks < LEAST_READINGS:
        message = f"{evidence.blocks} blocks were sent, a trend takes {LEAST_READINGS}"
        return _untold(view, name, message)
    if not np.isfinite(of_block).all():
        message = f"some blocks have no {name}, so many requests failed in them"
        return _untold(view, name, message)
    logs = np.log(of_block)
    grown = _of_groups(logs[0] if evidence.reference is None else logs[0] - logs[1])
    judgement = of_logarithms(
        judge_growth(
            np.linspace(0.0, 1.0, grown.size), grown, limit=float(np.log1p(limit)), spending=view.spending
        )
    )
    decision = decided(view, judgement, limit)
    if evidence.reference is None and decision.outcome is Outcome.FAIL:
        third = evidence.blocks // 3
        slower_ms = float(np.median(of_block[0, -third:]) - np.median(of_block[0, :third]))
        if why := machine_alike(evidence, view.limits, probability, slower_ms):
            decision = Decided(
                outcome=Outcome.INCONCLUSIVE, ending=f"; not decided, since {why}", growth=math.inf
            )
    against = "" if evidence.reference is None else " against the reference's"
    text = (
        f"{name} changed by {judgement.observed:+.1%}{against} from the beginning to the end "
        f"(interval {judgement.lower:+.1%} to {judgement.upper:+.1%}), allowed are {limit:+.1%}"
    )
    return decision.judged(f"{name}.trend", text, view=view, judgement=judgement, limit=limit, unit="share")


def _untold(view: View, name: str, message: str) -> Judged:
    undecided = finding(f"{name}.trend", Outcome.INCONCLUSIVE, message, samples=view.samples)
    return Judged(finding=undecided, growth=math.inf)


def _of_block(evidence: LatencyEvidence, side: int, probability: float) -> NDArray[np.float64]:
    """Return a quantile of each block, shape (blocks,), in ms."""
    rows = evidence.samples.of_side(side)
    times_ms, blocks = MS * evidence.samples.response_s[rows], evidence.samples.block[rows]
    return np.array([quantile(times_ms[blocks == block], probability) for block in range(evidence.blocks)])


def _of_groups(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of groups of consecutive blocks."""
    groups = np.arange(values.size) * min(TREND_GROUPS, values.size) // values.size
    means: NDArray[np.float64] = np.bincount(groups, weights=values) / np.bincount(groups)
    return means


def _memory(evidence: LatencyEvidence, view: View) -> Judged:
    """Judge the growth of the memory in the second half: in the first, caches may fill.

    It passes only if the last readings lie no further above the first ones either.
    """
    held = evidence.usage.memory_of(evidence.candidate)
    read = np.flatnonzero(~np.isnan(held))
    name = "memory.growth"
    if not read.size:
        return not_told(view, name, "candidate", "memory")
    half = read[read >= evidence.blocks // 2]
    limit = view.limits.soak.max_growth_kib
    if half.size < LEAST_READINGS:
        message = f"its memory was read {half.size} times in the second half, it takes {LEAST_READINGS}"
        undecided = finding(name, Outcome.INCONCLUSIVE, message, samples=int(half.size))
        return Judged(finding=undecided, growth=math.inf)
    thousands, kib = (half + 1) * evidence.block_arrivals / 1000.0, held[half] / KIB
    risen = float(np.median(kib[-ENDS:]) - np.median(kib[:ENDS])) / float(thousands[-1] - thousands[0])
    judgement = at_least(judge_growth(thousands, kib, limit=limit, spending=view.spending), risen, limit)
    return Judged(
        finding=finding(
            name,
            OUTCOMES[judgement.shown],
            f"its memory grows by {judgement.observed:.1f} KiB in 1,000 requests (interval "
            f"{judgement.lower:.1f} to {judgement.upper:.1f}; {risen:.1f} from the first readings to the "
            f"last), allowed are {limit:.1f}",
            samples=int(half.size),
            observed=judgement.observed,
            limit=limit,
            unit="KiB per 1,000 requests",
            bounds=(judgement.lower, judgement.upper),
            confidence=view.limits.confidence,
        ),
        growth=judgement.growth,
    )
