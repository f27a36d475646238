"""``golden.concurrent``: the cases again, many at once and each several times; each gets its own answer."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import ClassVar

from harness.checks.golden.compare import compare
from harness.checks.golden.evidence import ConcurrentEvidence, GoldenEvidence, evidence_path
from harness.checks.golden.golden_set import Case, load_golden_set, open_golden_set
from harness.checks.golden.judge import crossed, judge_cases
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.one_by_one import ask_one_by_one
from harness.checks.golden.payloads import chunks
from harness.checks.golden.records import CaseRecord
from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.wire import WireError
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.errors import shown
from harness.model import Capability, Family, Finding, Outcome

CASES_TOGETHER = 1024
"""Shuffled at a time, so that a set of any size is asked and judged in bounded memory."""


class GoldenConcurrent:
    """Asks in a seeded order, so that different cases are in flight together."""

    id: ClassVar[str] = "golden.concurrent"
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[ConcurrentEvidence]] = ConcurrentEvidence

    def applies(self, settings: GoldenSettings) -> bool:
        """Whether the suite declares how many at once."""
        return settings.concurrent is not None

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the golden set.

        Raises:
            ConfigError: when it is wrong.
        """
        load_golden_set(suite, settings)

    def collect(self, context: CheckContext, settings: GoldenSettings) -> ConcurrentEvidence:
        """Ask every case as often as declared.

        Raises:
            ConfigError: when the golden set is wrong.
            TargetError: when the candidate died.
            ValueError: when the settings declare no concurrency; see :meth:`applies`.
        """
        if settings.concurrent is None:
            raise ValueError("the suite declares no concurrency")
        golden = open_golden_set(context.suite, settings)
        repeats, order = settings.concurrent.repeats, random.Random(context.seed)  # noqa: S311 - an order that can be had again, no secret

        def shuffled() -> Iterator[Case]:
            for chunk in chunks(golden.cases, CASES_TOGETHER):
                asked = chunk * repeats
                order.shuffle(asked)
                yield from asked

        many = settings.model_copy(update={"connections": settings.concurrent.connections})
        expected = len(golden.cases) * repeats
        seen = ask_one_by_one(context, many, golden.header, shuffled(), expected)
        return ConcurrentEvidence(**dict(seen), together=CASES_TOGETHER * repeats)

    def judge(self, evidence: ConcurrentEvidence, limits: GoldenLimits) -> Sequence[Finding]:
        """The findings of the cases, one for crossed answers, one for repeats that differ."""
        held = evidence.limits(limits)
        return [
            *judge_cases(self.id, evidence, held),
            _own(self.id, evidence, held),
            _repeats(self.id, evidence, held),
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


def _repeats(check_id: str, evidence: ConcurrentEvidence, limits: GoldenLimits) -> Finding:
    """Whether the same question got the same answer each time."""
    repeated = differing = 0
    first_told = ""
    for together in chunks(evidence.cases, evidence.together):
        by_case: dict[str, list[CaseRecord]] = defaultdict(list)
        for case in together:
            if not case.problem:
                by_case[case.id].append(case)
        for first, *others in by_case.values():
            repeated += bool(others)
            told = _difference(first, others, evidence, limits)
            differing += bool(told)
            first_told = first_told or told
    missing = len(evidence.cases) < evidence.expected or not repeated
    return Finding(
        id=f"{check_id}.repeats",
        outcome=Outcome.FAIL if differing else Outcome.INCONCLUSIVE if missing else Outcome.PASS,
        message=f"{differing} of {repeated} cases were answered differently; {first_told}"
        if differing
        else f"{repeated} cases were answered the same each time",
        observed=differing,
        limit=0,
        unit="cases that differ",
        samples=repeated,
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
