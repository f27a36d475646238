"""``latency.slo``: the candidate alone, at the rate of production.

Nothing is compared: the absolute limits hold, no more requests fail than may, and as many a second are
answered as arrive.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import Sent, evidence_of, send_blocks
from harness.checks.latency.endpoints import report_endpoints
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import CHECK_ID, finding, of_check
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.loads import SLO_BLOCKS
from harness.checks.latency.planning import asked_of, candidate_of, load_plan, verify_requests
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.validity import judge_validity
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding, Outcome
from harness.stats.looks import Looks
from harness.stats.quantiles import least_samples
from harness.stats.shift import median_bounds


class LatencySlo:
    """Loads the candidate at the declared rate, nothing beside it."""

    id: ClassVar[str] = "latency.slo"
    family: ClassVar[Family] = Family.LATENCY
    stage: ClassVar[Stage] = Stage.ALONE
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[LatencyEvidence]] = LatencyEvidence

    def applies(self, settings: LatencySettings) -> bool:
        """Where the suite declares a rate."""
        return settings.slo is not None

    def verify_inputs(self, suite: Suite, settings: LatencySettings) -> None:
        """See `verify_requests`."""
        verify_requests(suite, settings)

    def collect(self, context: CheckContext, settings: LatencySettings) -> LatencyEvidence:
        """Send blocks until the verdict is clear or the budget is spent; raises what `send_blocks` does."""
        if settings.slo is None:
            raise ValueError("the suite declares no rate")
        asked = asked_of(context, settings)
        plan = load_plan(
            context,
            settings,
            asked,
            (candidate_of(context),),
            rate_per_s=settings.slo.rate_per_s,
            block_arrivals=settings.slo.block_arrivals,
        )
        expected = least_samples(0.5, settings.limits.confidence)

        def evidence(sent: Sent) -> LatencyEvidence:
            return evidence_of(plan, asked, sent, planned_blocks=SLO_BLOCKS, expected=expected)

        def enough(sent: Sent) -> bool:
            seen = evidence(sent)
            known = _throughput(seen, settings.limits).outcome is not Outcome.INCONCLUSIVE
            return known and should_stop(seen, settings.limits)

        return evidence(send_blocks(context, plan, Looks(blocks=SLO_BLOCKS), enough))

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """As single requests are judged, without comparisons, and the throughput."""
        alone = [item for item in judge_alone(evidence, limits) if item.id != f"{CHECK_ID}.throughput"]
        return of_check(self.id, [*alone, _throughput(evidence, limits)])


def judge_alone(evidence: LatencyEvidence, limits: LatencyLimits) -> list[Finding]:
    """Return what the paired judge finds of a candidate that is not compared with anything."""
    judged = [item for item in judge(evidence, limits) if item.missing is not Capability.REFERENCE]
    return [*judged, *report_endpoints(evidence)]


def _throughput(evidence: LatencyEvidence, limits: LatencyLimits) -> Finding:
    """Judge the median of the blocks' shares by its order statistics, which hold whatever the noise is."""
    shares, per_s = _answered(evidence)
    lower, upper = median_bounds(shares, limits.confidence)
    least = limits.min_throughput
    outcome = Outcome.PASS if lower >= least else Outcome.FAIL if upper < least else Outcome.INCONCLUSIVE
    _, doubt = judge_validity(evidence, limits)
    return finding(
        "throughput",
        Outcome.INCONCLUSIVE if doubt.why else outcome,
        f"{per_s:.1f} answers a second at {evidence.rate_per_s:g} arrivals a second "
        f"({np.median(shares):.1%}, interval {lower:.1%} to {upper:.1%}), at least {least:.1%} have to be"
        + (f"; not decided, since {doubt.why}" if doubt.why else ""),
        samples=evidence.executed,
        observed=float(np.median(shares)),
        limit=least,
        unit="share of the arrivals",
        bounds=(lower, upper),
        confidence=limits.confidence,
    )


def _answered(evidence: LatencyEvidence) -> tuple[NDArray[np.float64], float]:
    """Return, for each block, answers a second over arrivals a second, and the answers a second of all.

    A service that keeps up answers the last request soon after it arrived; one that does not takes as much
    longer than the arrivals took as it is too slow.
    """
    samples = evidence.samples
    shares = np.zeros(evidence.blocks)
    took_s, answers = 0.0, 0
    for block in range(evidence.blocks):
        rows = samples.block == block
        began_s = samples.intended_s[rows].min()
        arrived_s, done_s = samples.intended_s[rows].max() - began_s, samples.done_s[rows].max() - began_s
        answered = int(np.count_nonzero(rows & ~samples.failed))
        slack_s = (samples.done_s - samples.intended_s)[rows].min()
        shares[block] = answered / np.count_nonzero(rows) * min(1.0, (arrived_s + slack_s) / done_s)
        took_s, answers = took_s + done_s, answers + answered
    return shares, answers / took_s
