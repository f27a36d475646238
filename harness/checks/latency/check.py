"""``latency.paired``: response times under load, against the reference's and against absolute limits."""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import Sent, evidence_of, send_blocks
from harness.checks.latency.endpoints import report_endpoints
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import CHECK_ID
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.manifest import read_promises, verify_promises
from harness.checks.latency.planning import asked_of, load_plan, sides_of, verify_requests
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.snapshot_taker import SnapshotTaker
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding
from harness.stats.looks import Looks
from harness.stats.quantiles import least_samples


class LatencyPaired:
    """Sends the same requests to reference and candidate in random order within pairs, in blocks."""

    id: ClassVar[str] = CHECK_ID
    family: ClassVar[Family] = Family.LATENCY
    stage: ClassVar[Stage] = Stage.PAIRED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[LatencyEvidence]] = LatencyEvidence

    def applies(self, _settings: LatencySettings) -> bool:
        """A suite with a latency section has latency limits: the margins have defaults."""
        return True

    def verify_inputs(self, suite: Suite, settings: LatencySettings) -> None:
        """See `verify_requests` and `verify_promises`."""
        verify_requests(suite, settings)
        verify_promises(suite, settings)

    def collect(self, context: CheckContext, settings: LatencySettings) -> LatencyEvidence:
        """Send blocks until the verdict is clear or the budget is spent.

        Raises:
            ConfigError: The requests cannot be made.
            TargetError: The candidate died.
            InfrastructureError: The reference died.
            GeneratorError: The load generator failed before the first block.
        """
        asked = asked_of(context, settings)
        promises = read_promises(context, settings)
        snapshots = SnapshotTaker(context, settings.metrics)
        plan = load_plan(
            context,
            settings,
            asked,
            sides_of(context),
            rate_per_s=settings.rate_per_s,
            block_arrivals=settings.block_arrivals,
        )
        expected = least_samples(0.99, settings.limits.confidence)

        def evidence(sent: Sent) -> LatencyEvidence:
            seen = evidence_of(
                plan,
                asked,
                sent,
                planned_blocks=settings.blocks,
                expected=expected,
                checks=settings.checks,
            )
            return seen.model_copy(update={"promises": promises})

        def enough(sent: Sent) -> bool:
            return should_stop(evidence(sent), settings.limits)

        sent = send_blocks(
            context, plan, Looks(blocks=settings.blocks), enough, between=snapshots.take_if_due
        )
        snapshots.take()
        return evidence(sent).model_copy(update={"snapshots": snapshots.taken})

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """See `harness.checks.latency.judge`."""
        return [*judge(evidence, limits), *report_endpoints(evidence)]
