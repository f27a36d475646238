"""``latency.soak``: a long load, and whether times or memory grow with the requests."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import evidence_of, send_blocks
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import finding, of_check
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.loads import SOAK_BLOCKS
from harness.checks.latency.planning import asked_of, candidate_of, load_plan, verify_requests
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.slo import judge_alone
from harness.checks.latency.validity import judge_validity
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding, Outcome
from harness.stats.looks import Looks
from harness.stats.quantiles import quantile
from harness.stats.shift import hodges_lehmann
from harness.stats.slope import theil_sen, theil_sen_interval

MS = 1000.0
KIB = 1024.0
LEAST_READINGS = 10
TRENDS = {"p50": 0.50, "p95": 0.95}


class LatencySoak:
    """Loads the candidate for as long as the suite says."""

    id: ClassVar[str] = "latency.soak"
    family: ClassVar[Family] = Family.LATENCY
    stage: ClassVar[Stage] = Stage.ALONE
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
            (candidate_of(context),),
            rate_per_s=settings.soak.rate_per_s,
            block_arrivals=settings.soak.block_arrivals,
        )
        sent = send_blocks(context, plan, Looks(blocks=SOAK_BLOCKS), lambda _sent: False)
        expected = SOAK_BLOCKS * plan.block_arrivals
        return evidence_of(plan, asked, sent, planned_blocks=SOAK_BLOCKS, expected=expected)

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """As single requests are judged, without comparisons, and what grows."""
        growing = [_slower(evidence, limits, name) for name in TRENDS] + [_memory(evidence, limits)]
        return of_check(self.id, [*judge_alone(evidence, limits), *growing])


def _slower(evidence: LatencyEvidence, limits: LatencyLimits, name: str) -> Finding:
    """Judge how much slower it got, gradually or all at once, whichever is shown to be more.

    A slope through all blocks sees what grows steadily; a step it all but misses, which the last third
    against the first shows.
    """
    limit = limits.soak.max_slowdown
    samples = evidence.samples
    times_ms = MS * samples.response_s
    of_block = np.array(
        [quantile(times_ms[samples.block == block], TRENDS[name]) for block in range(evidence.blocks)]
    )
    if of_block.size < LEAST_READINGS:
        message = f"{of_block.size} blocks were sent, a trend takes {LEAST_READINGS}"
        return finding(f"{name}.trend", Outcome.INCONCLUSIVE, message, samples=evidence.executed)
    if not np.isfinite(of_block).all():
        message = f"some blocks have no {name}, so many requests failed in them"
        return finding(f"{name}.trend", Outcome.INCONCLUSIVE, message, samples=evidence.executed)
    grown, lower, upper = _growth(np.log(of_block), limits.confidence)
    _, doubt = judge_validity(evidence, limits)
    return finding(
        f"{name}.trend",
        _outcome(lower, upper, limit, doubted=bool(doubt.why)),
        f"{name} changed by {grown:+.1%} from the beginning to the end "
        f"(interval {lower:+.1%} to {upper:+.1%}), allowed are {limit:+.1%}"
        + (f"; not decided, since {doubt.why}" if doubt.why else ""),
        samples=evidence.executed,
        observed=grown,
        limit=limit,
        unit="share",
        bounds=(lower, upper),
        confidence=limits.confidence,
    )


def _growth(logs: NDArray[np.float64], confidence: float) -> tuple[float, float, float]:
    """Return the larger of both growths, as shares, with the larger of either bound.

    Each bound of either holds at half the error, so the larger lower bound holds at the confidence.
    """
    third = logs.size // 3
    at, values = np.linspace(0.0, 1.0, logs.size).tolist(), logs.tolist()
    gradual = theil_sen(at, values), *theil_sen_interval(at, values, confidence)
    stepped = hodges_lehmann(logs[:third], logs[-third:], confidence)
    grown, lower, upper = (float(np.expm1(max(pair))) for pair in zip(gradual, stepped, strict=True))
    return grown, lower, upper


def _memory(evidence: LatencyEvidence, limits: LatencyLimits) -> Finding:
    """Judge the memory's slope in the second half: in the first, caches may fill."""
    held = evidence.usage.memory_of(evidence.candidate)
    read = np.flatnonzero(~np.isnan(held))
    if not read.size:
        message = "nobody tells its memory"
        missing = Capability.CONTAINER
        return finding("memory.growth", Outcome.NOT_APPLICABLE, message, samples=0, missing=missing)
    half = read[read >= evidence.blocks // 2]
    limit = limits.soak.max_growth_kib
    if half.size < LEAST_READINGS:
        message = f"its memory was read {half.size} times in the second half, it takes {LEAST_READINGS}"
        return finding("memory.growth", Outcome.INCONCLUSIVE, message, samples=int(half.size))
    thousands = ((half + 1) * evidence.executed / evidence.blocks / 1000.0).tolist()
    kib = (held[half] / KIB).tolist()
    slope = theil_sen(thousands, kib)
    lower, upper = theil_sen_interval(thousands, kib, limits.confidence)
    return finding(
        "memory.growth",
        _outcome(lower, upper, limit, doubted=False),
        f"its memory grows by {slope:.1f} KiB in 1,000 requests (interval {lower:.1f} to {upper:.1f}), "
        f"allowed are {limit:.1f}",
        samples=int(half.size),
        observed=slope,
        limit=limit,
        unit="KiB per 1,000 requests",
        bounds=(lower, upper),
        confidence=limits.confidence,
    )


def _outcome(lower: float, upper: float, limit: float, *, doubted: bool) -> Outcome:
    if doubted:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS if upper <= limit else Outcome.FAIL if lower > limit else Outcome.INCONCLUSIVE
