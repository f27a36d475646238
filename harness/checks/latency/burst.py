"""``latency.burst``: many requests at once, against the reference's.

A candidate that is as fast as the reference alone may still work them off one after the other: a lock around
inference, an event loop that is blocked. Then the times within a burst grow with its size.
"""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import Sent, evidence_of, send_blocks
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import of_check
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.limits import LatencyLimits, least_pairs
from harness.checks.latency.planning import asked_of, load_plan, sides_of, verify_requests
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.usage import Usage
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding, Outcome
from harness.stats.looks import Looks


class LatencyBurst:
    """Sends bursts to one side and the same to the other, in random order within the pair of bursts."""

    id: ClassVar[str] = "latency.burst"
    family: ClassVar[Family] = Family.LATENCY
    stage: ClassVar[Stage] = Stage.PAIRED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.REFERENCE})
    evidence: ClassVar[type[LatencyEvidence]] = LatencyEvidence

    def applies(self, settings: LatencySettings) -> bool:
        """Where the suite declares it."""
        return settings.burst is not None

    def verify_inputs(self, suite: Suite, settings: LatencySettings) -> None:
        """See `verify_requests`."""
        verify_requests(suite, settings)

    def collect(self, context: CheckContext, settings: LatencySettings) -> LatencyEvidence:
        """Send bursts until the verdict is clear or the budget is spent; raises what `send_blocks` does."""
        if settings.burst is None:
            raise ValueError("the suite declares no bursts")
        burst = settings.burst
        asked = asked_of(context, settings)
        plan = load_plan(
            context,
            settings,
            asked,
            sides_of(context),
            rate_per_s=burst.size * burst.bursts_per_s,
            block_arrivals=burst.size * burst.block_bursts,
            burst=burst.size,
        )
        limits = settings.limits.within_bursts

        def evidence(sent: Sent) -> LatencyEvidence:
            return evidence_of(
                plan,
                asked,
                sent,
                planned_blocks=burst.blocks,
                expected=least_pairs(0.95),
                checks=settings.checks,
            )

        def enough(sent: Sent) -> bool:
            return should_stop(_times_of(evidence(sent)), limits)

        return evidence(send_blocks(context, plan, Looks(blocks=burst.blocks), enough))

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """As single requests are judged, by the limits of bursts, less what a request costs."""
        judged = judge(_times_of(evidence), limits.within_bursts, budget="burst.budget_s")
        return of_check(self.id, [item for item in judged if item.outcome is not Outcome.NOT_APPLICABLE])


def _times_of(evidence: LatencyEvidence) -> LatencyEvidence:
    """Leave out CPU time and memory: between bursts there is too little of it to compare."""
    return evidence.model_copy(update={"usage": Usage()})
