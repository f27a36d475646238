"""The checks ``scenarios.auth`` and ``scenarios.rate``."""

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from harness.checks.interface import CheckContext, Stage
from harness.checks.scenarios.counting import Counters
from harness.checks.scenarios.evidence import ScenarioRecord, ScenariosEvidence
from harness.checks.scenarios.judging import judge_scenario, judge_secrets
from harness.checks.scenarios.loading import Plan, PlannedScenario, load_plan
from harness.checks.scenarios.playing import BudgetSpentError, Player, unplayable
from harness.checks.scenarios.sending import Sender
from harness.checks.scenarios.settings import ScenariosSettings
from harness.config.section import Limits
from harness.config.suite import Suite
from harness.errors import TargetError
from harness.model import Capability, Family, Finding, Scope
from harness.targets.dying import dies
from harness.targets.log import LogSearch


class _Run:
    """One run of a check.

    Attributes:
        records: The scenarios that were played so far.
        searched: What was found in the place of that name when a secret was looked for.
        unread: Places that could not be read then.
    """

    def __init__(self, context: CheckContext, settings: ScenariosSettings, plan: Plan) -> None:
        self.records: list[ScenarioRecord] = []
        self.searched: dict[str, LogSearch] = {}
        self.unread: list[str] = []
        self._context = context
        self._settings = settings
        self._plan = plan
        self._give_up_s = time.perf_counter() + settings.budget_s

    def play(self, variant: str | None) -> None:
        """Play the scenarios of one variant of the service, on a candidate of their own.

        Raises:
            BudgetSpentError: when there is no time left.
            TargetError: when the candidate died, or did not get ready as that variant.
        """
        scenarios = [scenario for scenario in self._plan.scenarios if scenario.service == variant]
        if variant is None:
            self._play_on(self._context, scenarios)
        elif (reason := self._cannot_start(variant)) or self._context.start is None:
            self.records += [unplayable(scenario, reason, applicable=False) for scenario in scenarios]
        else:
            with self._context.start(variant) as candidate:
                self._play_on(replace(self._context, candidate=candidate), scenarios)

    def _cannot_start(self, variant: str) -> str:
        """Why no candidate can be started as that variant; empty where one can."""
        if self._context.start is None:
            return f"no service can be started here as variant {variant}"
        needs_containers = self._context.suite.config.service.as_variant(variant).needs_containers
        if needs_containers and self._context.candidate.description.kind is not Scope.CONTAINER:
            return f"variant {variant} has replicas or companions, which only containers have"
        return ""

    def _play_on(self, context: CheckContext, scenarios: Sequence[PlannedScenario]) -> None:
        settings = self._settings
        # The certificates of a URL were made by others.
        own = None if context.start is None else context.credentials.certificates
        with Sender(context.candidate.base_urls, settings.timeout_s, own) as sender:
            replicas = len(context.candidate.base_urls)
            counters = Counters(settings.counters, sender, context.credentials, replicas=replicas)
            played: list[ScenarioRecord] = []
            with Player(context, settings, self._plan, sender, counters, give_up_s=self._give_up_s) as player:
                try:
                    for scenario in scenarios:
                        played.append(player.play(scenario))
                        context.progress(len(self.records) + len(played), len(self._plan.scenarios))
                finally:
                    self.records += player.with_late_connections(played)
            if any(scenario.unanswered for scenario in played) and dies(context.candidate):
                raise TargetError("it stopped during the scenarios", logs=context.candidate.logs())
            self._search(context, counters, scenarios)

    def _search(
        self, context: CheckContext, counters: Counters, scenarios: Sequence[PlannedScenario]
    ) -> None:
        """Look for secrets where the service writes."""
        has_secret = context.credentials.stand_in
        variant = scenarios[0].service if scenarios else None
        of_variant = "" if variant is None else f" of variant {variant}"
        for path, text in counters.texts().items():
            if text is None:
                self.unread.append(path + of_variant)
            else:
                self.searched[path + of_variant] = LogSearch(has_secret(text), whole=True)
        if context.candidate.description.kind is not Scope.URL:
            self.searched["the log" + of_variant] = context.candidate.search_log(has_secret)


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
        run = _Run(context, settings, plan)
        with contextlib.suppress(BudgetSpentError):
            for variant in dict.fromkeys([None, *(scenario.service for scenario in plan.scenarios)]):
                run.play(variant)
        return ScenariosEvidence(
            expected=max(len(plan.scenarios), self.least(settings)),
            executed=len(run.records),
            scenarios=tuple(run.records),
            searched=tuple(run.searched),
            leaked=tuple(place for place, seen in run.searched.items() if seen.found),
            cut=tuple(place for place, seen in run.searched.items() if not seen.whole),
            unread=tuple(run.unread),
        )

    def judge(self, evidence: ScenariosEvidence, limits: Limits) -> Sequence[Finding]:
        """One finding for each scenario; the expectations are in the evidence, so ``limits`` is unused."""
        del limits
        scenarios = [judge_scenario(scenario, self.id) for scenario in evidence.scenarios]
        return [*scenarios, *judge_secrets(evidence, self.id)]


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
