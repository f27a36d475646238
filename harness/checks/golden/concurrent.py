"""``golden.concurrent``: the cases again, many at once and each several times; each gets its own answer."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import ClassVar

from harness.checks.golden.compare import compare
from harness.checks.golden.evidence import CaseRecord, GoldenEvidence
from harness.checks.golden.golden_set import load_golden_set
from harness.checks.golden.judge import crossed, evidence_path, judge_cases
from harness.checks.golden.one_by_one import ask_one_by_one
from harness.checks.golden.settings import GoldenLimits, GoldenSettings
from harness.checks.golden.wire import WireError
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.errors import shown
from harness.model import Capability, Family, Finding, Outcome


class GoldenConcurrent:
    """Asks in a seeded order, so that different cases are in flight together."""

    id: ClassVar[str] = "golden.concurrent"
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[GoldenEvidence]] = GoldenEvidence

    def applies(self, settings: GoldenSettings) -> bool:
        """Whether the suite declares how many at once."""
        return settings.concurrent is not None

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the golden set.

        Raises:
            ConfigError: when it is wrong.
        """
        load_golden_set(suite, settings)

    def collect(self, context: CheckContext, settings: GoldenSettings) -> GoldenEvidence:
        """Ask every case as often as declared.

        Raises:
            ConfigError: when the golden set is wrong.
            TargetError: when the candidate died.
            ValueError: when the settings declare no concurrency; see :meth:`applies`.
        """
        if settings.concurrent is None:
            raise ValueError("the suite declares no concurrency")
        golden = load_golden_set(context.suite, settings)
        cases = list(golden.cases) * settings.concurrent.repeats
        random.Random(context.seed).shuffle(cases)  # noqa: S311 - an order that can be had again, no secret
        many = settings.model_copy(update={"connections": settings.concurrent.connections})
        return ask_one_by_one(context, many, golden.header, cases)

    def judge(self, evidence: GoldenEvidence, limits: GoldenLimits) -> Sequence[Finding]:
        """The findings of the cases, one for crossed answers, one for repeats that differ."""
        return [
            *judge_cases(self.id, evidence, limits),
            _own(self.id, evidence, limits),
            _repeats(self.id, evidence, limits),
        ]


def _own(check_id: str, evidence: GoldenEvidence, limits: GoldenLimits) -> Finding:
    """Whether somebody got the answer to another's question."""
    answered = sum(not case.problem for case in evidence.cases)
    found = crossed(evidence.cases, evidence.cases, evidence, limits)
    return Finding(
        id=f"{check_id}.own",
        outcome=Outcome.FAIL if found else Outcome.PASS if answered else Outcome.INCONCLUSIVE,
        message=f"answers are crossed: {found}" if found else "no answer is that of another case",
        samples=answered,
        evidence=evidence_path(check_id),
    )


def _repeats(check_id: str, evidence: GoldenEvidence, limits: GoldenLimits) -> Finding:
    """Whether the same question got the same answer each time."""
    by_case: dict[str, list[CaseRecord]] = defaultdict(list)
    for case in evidence.cases:
        if not case.problem:
            by_case[case.id].append(case)
    repeated = [cases for cases in by_case.values() if len(cases) > 1]
    differing = [
        told for first, *others in repeated if (told := _difference(first, others, evidence, limits))
    ]
    missing = len(evidence.cases) < evidence.expected or not repeated
    return Finding(
        id=f"{check_id}.repeats",
        outcome=Outcome.FAIL if differing else Outcome.INCONCLUSIVE if missing else Outcome.PASS,
        message=f"{len(differing)} of {len(repeated)} cases were answered differently; {differing[0]}"
        if differing
        else f"{len(repeated)} cases were answered the same each time",
        observed=len(differing),
        limit=0,
        unit="cases that differ",
        samples=len(repeated),
        evidence=evidence_path(check_id),
    )


def _difference(
    first: CaseRecord, others: Sequence[CaseRecord], evidence: GoldenEvidence, limits: GoldenLimits
) -> str:
    """The first output that one of the others has otherwise; empty when all agree.

    A value that does not fit its declaration is the business of its output's own finding.
    """
    for name, output in evidence.outputs.items():
        values = [case.observed[name] for case in (first, *others) if name in case.observed]
        for value in values[1:]:
            try:
                apart = compare(value, values[0], output, limits.repeat_tolerance(name))
            except WireError:
                continue
            if not apart.holds and not apart.problem:
                place = f"{first.id} at {output.pointer}{apart.pointer}"
                return f"{place}: {shown(apart.expected)} and {shown(apart.observed)}"
    return ""
