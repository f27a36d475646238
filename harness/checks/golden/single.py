"""``golden.single``: every case of the golden set in a request of its own."""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.golden.evidence import GoldenEvidence
from harness.checks.golden.golden_set import load_golden_set, open_golden_set
from harness.checks.golden.judge import judge_cases
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.one_by_one import ask_one_by_one
from harness.checks.golden.settings import GoldenSettings
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding


class GoldenSingle:
    """Asks the cases one by one."""

    id: ClassVar[str] = "golden.single"
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[GoldenEvidence]] = GoldenEvidence

    def applies(self, _settings: GoldenSettings) -> bool:
        """A suite with a golden section has single cases."""
        return True

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the golden set.

        Raises:
            ConfigError: when it is wrong.
        """
        load_golden_set(suite, settings)

    def collect(self, context: CheckContext, settings: GoldenSettings) -> GoldenEvidence:
        """Ask every case.

        Raises:
            ConfigError: when the golden set is wrong.
            TargetError: when the candidate died.
        """
        golden = open_golden_set(context.suite, settings)
        return ask_one_by_one(context, settings, golden.header, golden.cases, len(golden.cases))

    def judge(self, evidence: GoldenEvidence, limits: GoldenLimits) -> Sequence[Finding]:
        """One finding for the answers, one for each output."""
        return judge_cases(self.id, evidence, evidence.limits(limits))
