"""The checks ``scenarios.auth`` and ``scenarios.rate``."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from harness.checks.interface import CheckContext, Stage
from harness.checks.scenarios.evidence import ScenarioRecord, ScenariosEvidence
from harness.checks.scenarios.judging import judge_scenario
from harness.checks.scenarios.loading import load_plan
from harness.checks.scenarios.playing import BudgetSpentError, Player
from harness.checks.scenarios.sending import Sender
from harness.checks.scenarios.settings import ScenariosSettings
from harness.config.section import Limits
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding


class ScenariosCheck(ABC):
    """Plays the scenarios of some files on a candidate of its own, as they leave state behind."""

    id: ClassVar[str]
    family: ClassVar[Family] = Family.SCENARIOS
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[ScenariosEvidence]] = ScenariosEvidence

    @abstractmethod
    def files(self, settings: ScenariosSettings) -> tuple[str, ...]:
        """The files of this check."""

    @abstractmethod
    def least(self, settings: ScenariosSettings) -> int:
        """The least number of scenarios that makes it a check."""

    def applies(self, settings: ScenariosSettings) -> bool:
        """Whether the suite names a file for it."""
        return bool(self.files(settings))

    def verify_inputs(self, suite: Suite, settings: ScenariosSettings) -> None:
        """Read the scenario files.

        Raises:
            ConfigError: for a mistake in one of them.
        """
        load_plan(suite, settings, self.files(settings), key=self.id)

    def collect(self, context: CheckContext, settings: ScenariosSettings) -> ScenariosEvidence:
        """Play every scenario.

        Raises:
            ConfigError: for a mistake in a scenario file, before the first request.
            TargetError: when the candidate died.
        """
        plan = load_plan(context.suite, settings, self.files(settings), key=self.id)
        records: list[ScenarioRecord] = []
        with Sender(context.candidate.base_url, settings.timeout_s) as sender:
            player = Player(context, settings, plan, sender)
            with contextlib.suppress(BudgetSpentError):
                for scenario in plan.scenarios:
                    records.append(player.play(scenario))
                    context.progress(len(records), len(plan.scenarios))
        return ScenariosEvidence(
            expected=max(len(plan.scenarios), self.least(settings)),
            executed=len(records),
            scenarios=tuple(records),
        )

    def judge(self, evidence: ScenariosEvidence, limits: Limits) -> Sequence[Finding]:
        """One finding for each scenario; the expectations are in the evidence, so ``limits`` is unused."""
        del limits
        return [judge_scenario(scenario, self.id) for scenario in evidence.scenarios]


class AuthScenarios(ScenariosCheck):
    """Who may ask."""

    id = "scenarios.auth"

    def files(self, settings: ScenariosSettings) -> tuple[str, ...]:
        """``auth`` of the settings."""
        return settings.auth

    def least(self, settings: ScenariosSettings) -> int:
        """``min_auth`` of the settings."""
        return settings.min_auth


class RateScenarios(ScenariosCheck):
    """How often one may ask."""

    id = "scenarios.rate"

    def files(self, settings: ScenariosSettings) -> tuple[str, ...]:
        """``rate`` of the settings."""
        return settings.rate

    def least(self, settings: ScenariosSettings) -> int:
        """``min_rate`` of the settings."""
        return settings.min_rate
