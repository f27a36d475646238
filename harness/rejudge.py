"""Decides a stored run again, from its evidence alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from harness.checks.fuzz.replay import ReplayFuzz
from harness.checks.interface import EVIDENCE_FILE, AnyCheck, AnyJudge, Evidence, Stage
from harness.checks.lifecycle.target import TargetEvidence, TargetJudge
from harness.checks.table import CHECKS, STORED
from harness.config.section import FamilySettings
from harness.config.suite import Suite, load_suite, parse_suite
from harness.errors import ConfigError
from harness.inputs import input_digests
from harness.judgement import asked_sha256, conclude
from harness.model import (
    Capability,
    CheckResult,
    Decision,
    Family,
    Outcome,
    PolicyRecord,
    Report,
    Verdict,
)
from harness.plan import PlannedCheck, asked_for, capabilities_of, planned_checks
from harness.policy import Expected, decide, is_required, silent, unused_waivers
from harness.reports.store import evidence_folder, load_report, verify_evidence
from harness.selftest.standing import held_against


@dataclass(frozen=True)
class Rejudged:
    """A stored run under a policy.

    Attributes:
        report: The stored report with the new results, verdict and policy.
        stored: The decision that the run itself came to.
        notes: What the new policy could not decide, and why.
    """

    report: Report
    stored: Decision
    notes: tuple[str, ...]


def rejudge(path: Path, config: Path | None, *, today: date) -> Rejudged:
    """Judge the evidence of ``path`` under its own policy, or under that of ``config``.

    Args:
        path: ``reports/<run_id>.json``; its evidence folder lies beside it.
        config: Another gate.toml.
        today: Decides which waivers have expired. Under the run's own policy the day of the run decides.

    Raises:
        ConfigError: when the report, its evidence or the configuration is damaged.
    """
    report = load_report(path)
    verify_policy(report, path)
    folder = evidence_folder(path)
    verify_evidence(report, folder)
    suite = (
        parse_suite(report.policy.content, Path(report.policy.path)) if config is None else load_suite(config)
    ).on(report.candidate.device)
    policy = suite.config.policy
    today = _day_of(report, path) if config is None else today
    judge = _StoredRun(
        suite, folder, today, only=report.only, another=config is not None, has=_capabilities(report)
    )
    results = tuple(judge.decide(result) for result in report.checks)
    verdict = verdict_of(report, results, suite)
    decided = report.model_copy(
        update={
            "checks": results,
            "decision": verdict.decision,
            "reasons": verdict.reasons,
            "unused_waivers": unused_waivers(results, policy, only=report.only, skip=report.skip),
            "policy": PolicyRecord(path=str(suite.path), sha256=suite.sha256, content=suite.text),
            "since_last_promote": report.since_last_promote if config is None else None,
            "limits_not_compared": report.limits_not_compared if config is None else "",
        }
    )
    return Rejudged(report=held_against(decided), stored=report.decision, notes=tuple(judge.notes))


def _day_of(report: Report, path: Path) -> date:
    try:
        return date.fromisoformat(report.started_at[:10])
    except ValueError as error:
        raise ConfigError(
            file=path,
            key="started_at",
            value=report.started_at,
            problem="not the time at which a run began",
            allowed="the report as `harness run` wrote it",
        ) from error


def verdict_of(report: Report, results: Sequence[CheckResult], suite: Suite) -> Verdict:
    """What ``results`` of the run that ``report`` tells of come to under ``suite``'s policy."""
    policy = suite.config.policy
    planned = _planned(report, suite)
    checked = {result.family for result in results} | {item.check.family for item in planned}
    unchecked = silent(checked, only=report.only, skip=report.skip)
    undeclared = [family for family in unchecked if is_required(family, policy, report.only)]
    return decide(results, expected_of(report, suite), policy, undeclared=undeclared)


def expected_of(report: Report, suite: Suite) -> tuple[Expected, ...]:
    """The checks that have to have a result: by the suite, by the order that was run, and the starts.

    Not by the results themselves, so that a check that is missing from them is missed.
    """
    expected = {item.check.id: item.required for item in _planned(report, suite)}
    families = {check.id: check.family for check in STORED}
    for name in report.order:
        family = families.get(name)
        required = family is None or is_required(family, suite.config.policy, report.only)
        expected.setdefault(name, required)
    if report.replay:  # made in place of a plan's checks, and asked for by the command line
        expected[ReplayFuzz.id] = True
    unstarted = {check.id for check in STORED if check.stage is Stage.UNSTARTED}
    if any(result.evidence_files and result.id not in unstarted for result in report.checks):
        expected[TargetJudge.id] = True
    return tuple(Expected(name, required) for name, required in expected.items())


def _planned(report: Report, suite: Suite) -> tuple[PlannedCheck, ...]:
    """What a run that was asked for the same, of targets of the same kind, plans under ``suite``."""
    table = () if report.replay else asked_for(CHECKS, report.only_checks)
    return planned_checks(
        suite, table, only=report.only, skip=report.skip, capabilities=_capabilities(report)
    )


def _capabilities(report: Report) -> frozenset[Capability]:
    return capabilities_of(report.candidate.kind, report.reference.kind if report.reference else None)


def verify_policy(report: Report, path: Path) -> None:
    """The policy in the report has to be the one that its digest says.

    Raises:
        ConfigError: it is another.
    """
    actual = hashlib.sha256(report.policy.content.encode()).hexdigest()
    if actual != report.policy.sha256:
        raise ConfigError(
            file=path,
            key="policy.sha256",
            value=report.policy.sha256,
            problem=f"policy.content was changed since the run: its SHA-256 is {actual}",
            allowed="the report as `harness run` wrote it; `--config` judges it by another policy",
        )


@dataclass
class _StoredRun:
    """The evidence of a run, and the policy that it is held against."""

    suite: Suite
    folder: Path
    today: date
    only: tuple[Family, ...]
    another: bool
    has: frozenset[Capability]
    notes: list[str] = field(default_factory=list)

    def decide(self, result: CheckResult) -> CheckResult:
        """The result under this policy; as stored where there is no evidence to judge."""
        if result.id == TargetJudge.id:
            return self._judged(TargetJudge(), TargetEvidence, FamilySettings(), result, required=True)
        required = is_required(result.family, self.suite.config.policy, self.only)
        check = next((check for check in STORED if check.id == result.id), None)
        settings = self.suite.config.family(result.family)
        result = result.model_copy(update={"required": required})
        if check is None or settings is None:
            why = f"the policy does not declare [{result.family.value}]; it was left out"
            return self._undecided(result, Outcome.SKIP, why)
        if not result.settings_sha256:  # never collected: no policy changes that
            self._require_uncollected(check, result)
            return result
        if asked_sha256(settings) != result.settings_sha256:
            why = "asked under other settings than this policy's, so it cannot decide"
            return self._undecided(result, Outcome.INCONCLUSIVE, why)
        if self.another and (changed := self._changed_inputs(check, settings, result)):
            why = f"asked by other files than this policy's, so it cannot decide: {', '.join(changed)}"
            return self._undecided(result, Outcome.INCONCLUSIVE, why)
        return self._judged(check, check.evidence, settings, result, required=required)

    def _require_uncollected(self, check: AnyCheck, result: CheckResult) -> None:
        """What no evidence stands behind has passed nothing, and lacks only what it needs and has not."""
        outcome = result.outcome
        lacking = outcome is Outcome.NOT_APPLICABLE and result.missing in check.needs - self.has
        if not lacking and outcome not in {Outcome.SKIP, Outcome.ERROR}:
            raise ConfigError(
                file=self.folder.with_name(f"{self.folder.name}.json"),
                key=f"checks.{result.id}.outcome",
                value=outcome.value,
                problem="nothing was collected that could have led to it",
                allowed="the report as `harness run` wrote it",
            )

    def _undecided(self, result: CheckResult, outcome: Outcome, why: str) -> CheckResult:
        self.notes.append(f"{result.id}: {why}")
        return result.model_copy(
            update={"outcome": outcome, "reason": self.notes[-1], "error": None, "findings": ()}
        )

    def _changed_inputs(self, check: AnyCheck, settings: FamilySettings, result: CheckResult) -> list[str]:
        """Files that are not what the run had read; a policy that lies alone, without any, has none."""
        if not any(_is_there(self.suite.folder / name) for name in result.inputs):
            return []
        inputs = input_digests(check, self.suite, settings)
        return sorted({name for name, _ in inputs.items() ^ result.inputs.items()})

    def _judged(
        self,
        judge: AnyJudge,
        evidence_type: type[Evidence],
        settings: FamilySettings,
        result: CheckResult,
        *,
        required: bool,
    ) -> CheckResult:
        folder = self.folder / judge.id
        self._require_listed(folder, result)
        try:
            return conclude(
                judge,
                evidence_type.load(folder),
                settings,
                self.suite.config.policy,
                required=required,
                duration_s=result.duration_s,
                today=self.today,
                reproduce=result.reproduce,
                evidence_files=result.evidence_files,
                inputs=result.inputs,
                evidence_at=self.folder,
            )
        except Exception as error:  # evidence changed along with its digest may break a judge anywhere
            first = error.errors(include_url=False)[0] if isinstance(error, ValidationError) else None
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else repr(error)
            raise ConfigError(
                file=folder,
                problem=f"its evidence is not what this version of harness writes: {what}",
                allowed="judge it with the version that made the run, or run the gate again",
            ) from error

    def _require_listed(self, folder: Path, result: CheckResult) -> None:
        """A judge may read any file of its folder, so each has to be one whose digest was verified."""
        found = [path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir()]
        for path in found or [folder / EVIDENCE_FILE]:
            if path.relative_to(self.folder).as_posix() not in result.evidence_files:
                raise ConfigError(
                    file=path,
                    problem=f"is not among the evidence files of {result.id} in the report, or is missing",
                    allowed="the evidence as `harness run` wrote it",
                )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False  # no file can have such a name
