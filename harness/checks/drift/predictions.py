"""``drift.predictions``: a shadow run; candidate and reference predict for the same requests."""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.drift.asking import ask, load_traffic, slices_of, verify_traffic
from harness.checks.drift.evidence import Compared, DriftEvidence
from harness.checks.drift.judging import CHECK_ID, judge_drift
from harness.checks.drift.settings import DriftLimits, DriftSettings
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.errors import InfrastructureError, TargetError
from harness.model import Capability, Family, Finding


class DriftPredictions:
    """Asks the reference, then the candidate."""

    id: ClassVar[str] = CHECK_ID
    family: ClassVar[Family] = Family.DRIFT
    stage: ClassVar[Stage] = Stage.COMPARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.REFERENCE})
    evidence: ClassVar[type[DriftEvidence]] = DriftEvidence

    def applies(self, _settings: DriftSettings) -> bool:
        """The family has no other check."""
        return True

    def verify_inputs(self, suite: Suite, settings: DriftSettings) -> None:
        """Read what will be asked.

        Raises:
            ConfigError: when it is wrong.
        """
        verify_traffic(suite, settings)

    def collect(self, context: CheckContext, settings: DriftSettings) -> DriftEvidence:
        """Ask both.

        Raises:
            ConfigError: when the recording is wrong.
            InfrastructureError: when the reference died.
            TargetError: when the candidate died.
        """
        if context.reference is None:
            raise ValueError("drift needs a reference")
        traffic = load_traffic(context.suite, settings, context.credentials, context.seed)
        try:
            before = ask(context.reference, traffic, settings)
        except TargetError as error:
            raise InfrastructureError(f"the reference died: {error}") from error
        context.progress(len(before), 2 * len(traffic.requests))
        after = ask(context.candidate, traffic, settings)
        context.progress(len(before) + len(after), 2 * len(traffic.requests))
        compared = tuple(
            Compared(id=name, slices=slices_of(request, settings.slices), reference=one, candidate=other)
            for (name, request), one, other in zip(traffic.requests, before, after, strict=False)
        )
        return DriftEvidence(
            expected=len(traffic.requests),
            executed=len(compared),
            source=traffic.source,
            available=traffic.available,
            seed=context.seed,
            predictions=settings.predictions,
            slices=settings.slices,
            requests=compared,
        )

    def judge(self, evidence: DriftEvidence, limits: DriftLimits) -> Sequence[Finding]:
        """See :func:`judge_drift`."""
        return judge_drift(evidence, limits)
