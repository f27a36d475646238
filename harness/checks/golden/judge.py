"""Judges golden cases: one finding for the answers, one for each output; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.checks.golden.compare import Comparison, compare, error_of
from harness.checks.golden.evidence import CaseRecord, GoldenEvidence
from harness.checks.golden.settings import GoldenLimits, OutputSettings, Tolerance
from harness.checks.golden.wire import cut
from harness.checks.interface import EVIDENCE_FILE
from harness.errors import shown
from harness.model import Finding, Outcome

WARN_ABOVE = 0.5
MOST_CROSSED = 64
ANSWERS = "answers"


def judge_cases(check_id: str, evidence: GoldenEvidence, limits: GoldenLimits) -> list[Finding]:
    """Findings ``<check>.answers`` and ``<check>.<output>``."""
    return [
        _answers(check_id, evidence),
        *(
            _output(check_id, evidence, name, output, limits.tolerance(name))
            for name, output in evidence.outputs.items()
        ),
    ]


def compare_case(case: CaseRecord, name: str, output: OutputSettings, tolerance: Tolerance) -> Comparison:
    """One output of one answered case; an output that the answer lacks breaks."""
    if name in case.missing:
        return Comparison(math.inf, problem=case.missing[name])
    return compare(case.observed[name], case.expected[name], output, tolerance)


def crossed(
    cases: Sequence[CaseRecord], owners: Sequence[CaseRecord], evidence: GoldenEvidence, limits: GoldenLimits
) -> str:
    """One crossed answer, when every wrong answer is the right one of another case; else empty.

    Args:
        cases: Of many wrong ones the first 64 are looked at.
        owners: Whose answer it may be.
    """
    wrong = wrong_cases(cases, evidence, limits)[:MOST_CROSSED]
    found = [
        next(
            (owner for owner in owners if owner.id != case.id and _fits(case, owner, evidence, limits)), None
        )
        for case in wrong
    ]
    if not wrong or found[0] is None or None in found:
        return ""
    return f"{wrong[0].id} got the answer of {found[0].id}"


def _fits(answered: CaseRecord, asked: CaseRecord, evidence: GoldenEvidence, limits: GoldenLimits) -> bool:
    """Whether what one case was answered is what another one expects."""
    moved = answered.model_copy(update={"expected": asked.expected})
    return all(
        compare_case(moved, name, output, limits.tolerance(name)).holds
        for name, output in evidence.outputs.items()
    )


def wrong_cases(
    cases: Sequence[CaseRecord], evidence: GoldenEvidence, limits: GoldenLimits
) -> list[CaseRecord]:
    """The answered cases of which an output breaks its tolerance."""
    return [case for case in cases if not case.problem and not _fits(case, case, evidence, limits)]


def evidence_path(check_id: str) -> str:
    """Where the evidence of a check lies, relative to the report's evidence folder."""
    return f"{check_id}/{EVIDENCE_FILE}"


def _answers(check_id: str, evidence: GoldenEvidence) -> Finding:
    cases = evidence.cases
    broken = [case for case in cases if case.problem]
    if not cases:
        outcome, message = Outcome.ERROR, "the golden set has no case"
    elif broken:
        first = broken[0]
        outcome = Outcome.FAIL
        message = f"{len(broken)} of {len(cases)} cases have no usable answer; {first.id}: {first.problem}"
    else:
        outcome, message = Outcome.PASS, f"{len(cases)} of {len(cases)} cases have an answer"
    return Finding(
        id=f"{check_id}.{ANSWERS}",
        outcome=outcome,
        message=message,
        observed=len(broken),
        limit=0,
        unit="cases without answer",
        samples=len(cases),
        evidence=evidence_path(check_id),
        reproduce=_curl(evidence, broken[0]) if broken else "",
    )


@dataclass(frozen=True)
class _Judged:
    """One output over all its answered cases."""

    outcome: Outcome
    message: str
    observed: float
    limit: float
    unit: str
    reproduce: str = ""


def _output(
    check_id: str, evidence: GoldenEvidence, name: str, output: OutputSettings, tolerance: Tolerance
) -> Finding:
    answered = [case for case in evidence.cases if not case.problem]
    compared = [(case, compare_case(case, name, output, tolerance)) for case in answered]
    judged = _judge(evidence, name, compared, tolerance)
    return Finding(
        id=f"{check_id}.{name}",
        outcome=judged.outcome,
        message=judged.message,
        observed=judged.observed,
        limit=judged.limit,
        unit=judged.unit,
        samples=len(compared),
        evidence=evidence_path(check_id),
        reproduce=judged.reproduce,
    )


def _judge(
    evidence: GoldenEvidence,
    name: str,
    compared: Sequence[tuple[CaseRecord, Comparison]],
    tolerance: Tolerance,
) -> _Judged:
    """Counts for what no tolerance mends, else the largest share of the tolerance that a case uses."""
    total = len(evidence.cases)
    if not compared:
        return _Judged(Outcome.INCONCLUSIVE, f"no answer of {total} cases to compare", 0, 0, "cases off")
    broken = sum(not comparison.holds for _, comparison in compared)
    case, worst = max(compared, key=lambda pair: pair[1].tolerance_used)
    exact = tolerance.atol == tolerance.rtol == 0 or math.isinf(worst.tolerance_used)
    observed, limit, unit = (
        (broken, 0, "cases off") if exact else (worst.tolerance_used, 1.0, "share of tolerance")
    )
    where = _where(case, worst, evidence.outputs[name], tolerance)
    if broken:
        message = f"{broken} of {len(compared)} cases are off; worst {where}"
        return _Judged(Outcome.FAIL, message, observed, limit, unit, _curl(evidence, case))
    if len(compared) < total:
        message = f"only {len(compared)} of {total} cases have an answer to compare; they hold"
        return _Judged(Outcome.INCONCLUSIVE, message, observed, limit, unit)
    if exact or worst.tolerance_used == 0:
        return _Judged(Outcome.PASS, f"{len(compared)} cases are equal", observed, limit, unit)
    outcome = Outcome.WARN if worst.tolerance_used > WARN_ABOVE else Outcome.PASS
    message = f"{len(compared)} cases are within tolerance; worst {where}"
    return _Judged(outcome, message, observed, limit, unit, _curl(evidence, case))


def _where(case: CaseRecord, worst: Comparison, output: OutputSettings, tolerance: Tolerance) -> str:
    place = f"{case.id} at {output.pointer}{worst.pointer}"
    if worst.problem:
        return cut(f"{place}: {worst.problem}")
    values = f"{place}: expected {shown(worst.expected)}, got {shown(worst.observed)}"
    if isinstance(worst.expected, str | bool) or isinstance(worst.observed, str | bool):
        return values
    error = f"{values}, error {error_of(worst.observed, worst.expected):.3g}"
    if tolerance.atol == tolerance.rtol == 0:
        return f"{error}, exact required"
    return (
        f"{error}, {worst.tolerance_used:.3g} of tolerance (atol {tolerance.atol:g}, rtol {tolerance.rtol:g})"
    )


def _curl(evidence: GoldenEvidence, case: CaseRecord) -> str:
    """The request of a case; a batch has none that would show one case."""
    return evidence.request.curl(case.body) if case.body else ""
