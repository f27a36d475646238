"""``latency.paired``: response times under load, against the reference's and against absolute limits."""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import Sent, send_blocks
from harness.checks.latency.endpoints import report_endpoints
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import CHECK_ID
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.planning import asked_of, sides_of, verify_requests
from harness.checks.latency.settings import LatencyLimits, LatencySettings
from harness.checks.latency.snapshots import SnapshotTaker
from harness.config.suite import Suite
from harness.load import LoadPlan
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
        """See `verify_requests`."""
        verify_requests(suite, settings)

    def collect(self, context: CheckContext, settings: LatencySettings) -> LatencyEvidence:
        """Send blocks until the verdict is clear or the budget is spent.

        Raises:
            ConfigError: The requests cannot be made.
            TargetError: The candidate died.
            InfrastructureError: The reference died.
            GeneratorError: The load generator failed before the first block.
        """
        asked = asked_of(context, settings)
        snapshots = SnapshotTaker(context, settings.metrics)
        plan = LoadPlan(
            sides=sides_of(context),
            payloads=asked.payloads,
            rate_per_s=settings.rate_per_s,
            arrival=settings.arrival,
            block_arrivals=settings.block_arrivals,
            seed=context.seed,
            timeout_s=settings.timeout_s,
            warmup_requests=settings.warmup_requests,
            concurrency=settings.connections,
            cpu_affinity=context.generator_cpus,
        )

        def evidence(sent: Sent) -> LatencyEvidence:
            return LatencyEvidence(
                expected=least_samples(0.99, settings.limits.confidence),
                executed=sent.samples.of_side(len(plan.sides) - 1).size,
                sides=tuple(side.name for side in plan.sides),
                endpoints=asked.endpoints,
                rate_per_s=plan.rate_per_s,
                planned_blocks=settings.blocks,
                seed=plan.seed,
                unix_offset_s=sent.unix_offset_s,
                generator_error=sent.generator_error,
                usage=sent.usage,
                snapshots=snapshots.taken,
                samples=sent.samples,
            )

        def enough(sent: Sent) -> bool:
            return should_stop(evidence(sent), settings.limits)

        sent = send_blocks(
            context, plan, Looks(blocks=settings.blocks), enough, between=snapshots.take_if_due
        )
        snapshots.take()
        return evidence(sent)

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """See `harness.checks.latency.judge`."""
        return [*judge(evidence, limits), *report_endpoints(evidence)]
