"""Judges golden cases: one finding for the answers, one for each output; pure."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from harness.checks.golden.classes import judge_classes, scores_of, tied
from harness.checks.golden.compare import Comparison, compare, error_of
from harness.checks.golden.distribution import judge_errors
from harness.checks.golden.evidence import GoldenEvidence, evidence_path
from harness.checks.golden.limits import GoldenLimits, Tolerance
from harness.checks.golden.members import judge_members
from harness.checks.golden.records import CaseRecord
from harness.checks.golden.settings import OutputSettings
from harness.checks.golden.wire import cut
from harness.errors import shown
from harness.model import Finding, Outcome

WARN_ABOVE = 0.5
MOST_CROSSED = 64
MOST_ALIKE = 256
ANSWERS = "answers"
SHARE_OF_TOLERANCE = "share of tolerance"
"""The unit of what is observed of an output that may be off."""


def judge_cases(check_id: str, evidence: GoldenEvidence, limits: GoldenLimits) -> list[Finding]:
    """Findings ``<check>.answers``, ``<check>.<output>``, and of each output what else is declared.

    Args:
        check_id: Of the check that asked.
        evidence: What it saw.
        limits: Without overrides, see :meth:`GoldenEvidence.limits`.
    """
    return [
        _answers(check_id, evidence),
        *([judge_members(check_id, evidence)] if evidence.closed else []),
        *(_output(check_id, evidence, name, limits) for name in evidence.outputs),
        *(
            finding
            for name, declared in limits.errors.items()
            for finding in judge_errors(check_id, evidence, name, declared)
        ),
        *judge_classes(check_id, evidence, limits),
    ]


def compare_case(case: CaseRecord, name: str, evidence: GoldenEvidence, limits: GoldenLimits) -> Comparison:
    """One output of one answered case; an output that the answer lacks breaks.

    A label other than the golden one holds where their golden scores are within the declared tie margin.
    """
    if name in case.missing:
        return Comparison(math.inf, problem=case.missing[name])
    output, observed, expected = evidence.outputs[name], case.observed[name], case.expected[name]
    comparison = compare(observed, expected, output, limits.tolerance(name))
    if comparison.holds or output.argmax_of not in limits.classes:
        return comparison
    scores = scores_of(case.expected[output.argmax_of], evidence.outputs[output.argmax_of])
    if scores is None or not tied(observed, scores, limits.classes[output.argmax_of]):
        return comparison
    return Comparison(0.0, expected=expected, observed=observed, tied=True)


def crossed(
    cases: Iterable[CaseRecord], owners: Iterable[CaseRecord], evidence: GoldenEvidence, limits: GoldenLimits
) -> str:
    """One crossed answer, when every wrong answer is the right one of another case; else empty.

    Of two labels that there are, a wrong one is always that of another case. So some answer has to be that of
    one case only, as far as the first 256 cases of the set tell.

    Args:
        cases: Of many wrong ones the first 64 are looked at.
        owners: Whose answer it may be.
    """
    wrong = list(islice(wrong_cases(cases, evidence, limits), MOST_CROSSED))
    found: dict[int, str] = {}
    for owner in owners:
        if len(found) == len(wrong):
            break
        for number, case in enumerate(wrong):
            if number not in found and owner.id != case.id and _fits(case, owner, evidence, limits):
                found[number] = owner.id
    if not 0 < len(found) == len(wrong):
        return ""
    told = any(_is_alone(case, found[number], evidence, limits) for number, case in enumerate(wrong))
    return f"{wrong[0].id} got the answer of {found[0]}" if told else ""


def _is_alone(answered: CaseRecord, owner: str, evidence: GoldenEvidence, limits: GoldenLimits) -> bool:
    """Whether no case but its owner expects this answer."""
    return not any(
        case.id != owner and _fits(answered, case, evidence, limits)
        for case in islice(evidence.cases, MOST_ALIKE)
    )


def _fits(answered: CaseRecord, asked: CaseRecord, evidence: GoldenEvidence, limits: GoldenLimits) -> bool:
    """Whether what one case was answered is what another one expects."""
    moved = answered.model_copy(update={"expected": asked.expected})
    return all(compare_case(moved, name, evidence, limits).holds for name in evidence.outputs)


def wrong_cases(
    cases: Iterable[CaseRecord], evidence: GoldenEvidence, limits: GoldenLimits
) -> Iterator[CaseRecord]:
    """The answered cases of which an output breaks its tolerance."""
    return (case for case in cases if not case.problem and not _fits(case, case, evidence, limits))


def _answers(check_id: str, evidence: GoldenEvidence) -> Finding:
    total, broken = len(evidence.cases), 0
    first: CaseRecord | None = None
    for case in evidence.cases:
        if case.problem:
            broken += 1
            first = first or case
    if not total:
        outcome, message = Outcome.ERROR, "the golden set has no case"
    elif first is not None:
        outcome = Outcome.FAIL
        message = f"{broken} of {total} cases have no usable answer; {first.id}: {first.problem}"
    else:
        outcome, message = Outcome.PASS, f"{total} of {total} cases have an answer"
    return Finding(
        id=f"{check_id}.{ANSWERS}",
        outcome=outcome,
        message=message,
        observed=broken,
        limit=0,
        unit="cases without answer",
        samples=total,
        evidence=evidence_path(check_id),
        reproduce="" if first is None else _curl(evidence, first),
    )


@dataclass
class _Compared:
    """What the cases of one output come to, one after the other."""

    count: int = 0
    broken: int = 0
    tied: int = 0
    worst: tuple[CaseRecord, Comparison] | None = None

    def add(self, case: CaseRecord, comparison: Comparison) -> None:
        self.count += 1
        self.broken += not comparison.holds
        self.tied += comparison.tied
        if self.worst is None or comparison.is_worse_than(self.worst[1]):
            self.worst = case, comparison


@dataclass(frozen=True)
class _Judged:
    """One output over all its answered cases."""

    outcome: Outcome
    message: str
    observed: float
    limit: float
    unit: str
    reproduce: str = ""


def _output(check_id: str, evidence: GoldenEvidence, name: str, limits: GoldenLimits) -> Finding:
    compared = _Compared()
    for case in evidence.cases:
        if not case.problem:
            compared.add(case, compare_case(case, name, evidence, limits))
    judged = _judge(evidence, name, compared, limits.tolerance(name))
    return Finding(
        id=f"{check_id}.{name}",
        outcome=judged.outcome,
        message=judged.message,
        observed=judged.observed,
        limit=judged.limit,
        unit=judged.unit,
        samples=compared.count,
        evidence=evidence_path(check_id),
        reproduce=judged.reproduce,
    )


def _judge(
    evidence: GoldenEvidence,
    name: str,
    compared: _Compared,
    tolerance: Tolerance,
) -> _Judged:
    """Counts for what no tolerance mends, else the largest share of the tolerance that a case uses."""
    total = len(evidence.cases)
    if compared.worst is None:
        return _Judged(Outcome.INCONCLUSIVE, f"no answer of {total} cases to compare", 0, 0, "cases off")
    count, broken, (case, worst) = compared.count, compared.broken, compared.worst
    exact = tolerance.exact or math.isinf(worst.tolerance_used)
    observed, limit, unit = (
        (broken, 0, "cases off") if exact else (worst.tolerance_used, 1.0, SHARE_OF_TOLERANCE)
    )
    where = _where(case, worst, evidence.outputs[name], tolerance)
    if broken:
        message = f"{broken} of {count} cases are off; worst {where}"
        return _Judged(Outcome.FAIL, message, observed, limit, unit, _curl(evidence, case))
    if count < total:
        message = f"only {count} of {total} cases have an answer to compare; they hold"
        return _Judged(Outcome.INCONCLUSIVE, message, observed, limit, unit)
    if exact or worst.tolerance_used == 0:
        but = f", but for {compared.tied} within the tie margin" if compared.tied else ""
        return _Judged(Outcome.PASS, f"{count} cases are equal{but}", observed, limit, unit)
    outcome = Outcome.WARN if worst.tolerance_used > WARN_ABOVE else Outcome.PASS
    message = f"{count} cases are within tolerance; worst {where}"
    return _Judged(outcome, message, observed, limit, unit, _curl(evidence, case))


def _where(case: CaseRecord, worst: Comparison, output: OutputSettings, tolerance: Tolerance) -> str:
    place = f"{case.id} at {output.pointer}{worst.pointer}"
    if worst.problem:
        return cut(f"{place}: {worst.problem}")
    values = f"{place}: expected {shown(worst.expected)}, got {shown(worst.observed)}"
    if isinstance(worst.expected, str | bool) or isinstance(worst.observed, str | bool):
        return values
    error = f"{values}, error {error_of(worst.observed, worst.expected):.3g}"
    if tolerance.exact or math.isinf(worst.tolerance_used):
        return f"{error}, exact required"
    return f"{error}, {worst.tolerance_used:.3g} of tolerance ({tolerance})"


def _curl(evidence: GoldenEvidence, case: CaseRecord) -> str:
    """The request of a case; a batch has none that would show one case."""
    return evidence.request.curl(case.body) if case.body else ""
