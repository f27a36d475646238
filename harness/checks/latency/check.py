"""``latency.paired``: response times under load, against the reference's and against absolute limits."""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.golden.golden_set import load_golden_set
from harness.checks.golden.payloads import payloads
from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import Sent, send_blocks
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import CHECK_ID
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.settings import LatencyLimits, LatencySettings
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError
from harness.http_request import Request, build
from harness.load import LoadPlan, Payload, Side
from harness.model import Capability, Family, Finding
from harness.stats.looks import Looks
from harness.stats.quantiles import least_samples
from harness.template import TemplateError


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
        """Read the golden cases that the requests are made of.

        Raises:
            ConfigError: There are none, or they are wrong.
        """
        if suite.config.golden is not None:
            load_golden_set(suite, suite.config.golden)
        elif settings.request is None:
            raise ConfigError(
                file=suite.path,
                key="latency.request",
                problem="there is no [golden] to take requests from",
                allowed="a request of its own, or a section [golden]",
            )

    def collect(self, context: CheckContext, settings: LatencySettings) -> LatencyEvidence:
        """Send blocks until the verdict is clear or the budget is spent.

        Raises:
            ConfigError: The requests cannot be made.
            TargetError: The candidate died.
            InfrastructureError: The reference died.
            GeneratorError: The load generator failed before the first block.
        """
        plan = _plan(context, settings)

        def evidence(sent: Sent) -> LatencyEvidence:
            return _evidence(plan, settings, sent)

        def enough(sent: Sent) -> bool:
            return should_stop(evidence(sent), settings.limits)

        return evidence(send_blocks(context, plan, Looks(blocks=settings.blocks), enough))

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """See `harness.checks.latency.judge`."""
        return judge(evidence, limits)


def _plan(context: CheckContext, settings: LatencySettings) -> LoadPlan:
    sides = [Side(name="candidate", base_url=context.candidate.load_url)]
    if context.reference is not None:
        sides.insert(0, Side(name="reference", base_url=context.reference.load_url))
    requests = _requests(context.suite, settings, context.credentials)
    return LoadPlan(
        sides=tuple(sides),
        payloads=tuple(
            Payload(
                method=request.method,
                path=request.path,
                headers=dict(request.headers),
                body=request.body,
                expected_status=settings.expected_status,
            )
            for request in requests
        ),
        rate_per_s=settings.rate_per_s,
        arrival=settings.arrival,
        block_arrivals=settings.block_arrivals,
        seed=context.seed,
        timeout_s=settings.timeout_s,
        warmup_requests=settings.warmup_requests,
        concurrency=settings.connections,
        cpu_affinity=context.generator_cpus,
    )


def _requests(suite: Suite, settings: LatencySettings, credentials: Credentials) -> list[Request]:
    if settings.request is None:
        return payloads(suite, credentials)
    golden = suite.config.golden
    fillings = (
        [{}] if golden is None else [{"input": case.input} for case in load_golden_set(suite, golden).cases]
    )
    headers = credentials.headers(settings.request.credential)
    try:
        return [build(settings.request, filling, headers) for filling in fillings]
    except TemplateError as error:
        raise ConfigError(file=suite.path, key="latency.request.body", problem=str(error)) from error


def _evidence(plan: LoadPlan, settings: LatencySettings, sent: Sent) -> LatencyEvidence:
    return LatencyEvidence(
        expected=least_samples(0.99, settings.limits.confidence),
        executed=sent.samples.of_side(len(plan.sides) - 1).size,
        sides=tuple(side.name for side in plan.sides),
        rate_per_s=plan.rate_per_s,
        planned_blocks=settings.blocks,
        seed=plan.seed,
        unix_offset_s=sent.unix_offset_s,
        generator_error=sent.generator_error,
        usage=sent.usage,
        samples=sent.samples,
    )
