"""Whether labels and scores of classes agree, with each other and with the golden ones; pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.checks.golden.evidence import GoldenEvidence, evidence_path
from harness.checks.golden.limits import ClassLimits, GoldenLimits
from harness.checks.golden.records import CaseRecord
from harness.checks.golden.settings import OutputSettings
from harness.checks.golden.wire import WireError, leaves
from harness.errors import shown
from harness.model import Finding, Outcome

Scores = Mapping[str | int, float]
"""The score of each class, by its key, or by its index where an output has a shape; never NaN."""


def judge_classes(check_id: str, evidence: GoldenEvidence, limits: GoldenLimits) -> list[Finding]:
    """Findings ``<check>.<label>.argmax``, ``<check>.<scores>.top_k`` and ``.sum``, where declared."""
    findings = [
        _argmax(check_id, evidence, name, output.argmax_of)
        for name, output in evidence.outputs.items()
        if output.argmax_of is not None
    ]
    for name, limit in limits.classes.items():
        if limit.top_k is not None:
            findings.append(_top_k(check_id, evidence, name, limit.top_k, limit.tie_margin))
        if limit.sums_to is not None:
            findings.append(_sum(check_id, evidence, name, limit.sums_to, limit.sums_atol))
    return findings


def scores_of(value: Any, output: OutputSettings) -> Scores | None:
    """The scores in an output; None where it does not fit its declaration, or one is NaN."""
    try:
        values = [float(leaf) for leaf in leaves(value, output).values()]
    except WireError:
        return None
    if any(map(math.isnan, values)):
        return None
    return dict(zip(output.keys or range(len(values)), values, strict=True))


def tied(label: Any, scores: Scores, limit: ClassLimits) -> bool:
    """Whether no class scores more than ``tie_margin`` above that of ``label``."""
    best = max(scores.values())
    score = scores.get(label) if isinstance(label, str | int) else None
    return score is not None and (score == best or best - score <= limit.tie_margin)


def _answered(evidence: GoldenEvidence, name: str) -> Iterator[tuple[CaseRecord, Scores]]:
    """The cases of which an answer has scores, and those."""
    for case in evidence.cases:
        if case.problem or name in case.missing:
            continue
        scores = scores_of(case.observed[name], evidence.outputs[name])
        if scores is not None:
            yield case, scores


@dataclass
class _Tally:
    """Cases one after the other, of which only the worst is kept."""

    samples: int = 0
    wrong: int = 0
    worst: float = 0.0
    told: str = ""

    def add(self, by: float, told: str) -> None:
        """Count a case that is wrong ``by`` so much; 0 for one that is right."""
        self.samples += 1
        self.wrong += by > 0
        if by > self.worst:
            self.worst, self.told = by, told


def _argmax(check_id: str, evidence: GoldenEvidence, name: str, of: str) -> Finding:
    """Whether each label is that of the best score in its own answer; of equal ones it may be any."""
    tally = _Tally()
    for case, scores in _answered(evidence, of):
        if name not in case.missing:
            label, best = case.observed[name], max(scores, key=lambda each: scores[each])
            tally.add(
                not tied(label, scores, ClassLimits()),
                f"{case.id} is labelled {shown(label)}, its best score is that of {shown(best)}",
            )
    return _finding(check_id, f"{name}.argmax", evidence, tally, "have the label of their best score")


def _top_k(check_id: str, evidence: GoldenEvidence, name: str, k: int, margin: float) -> Finding:
    """Whether the k best classes are the golden ones, but for those that are as good as tied."""
    tally = _Tally()
    for case, scores in _answered(evidence, name):
        golden = scores_of(case.expected[name], evidence.outputs[name])
        if golden is not None:
            # Of equally good classes those count that the golden scores prefer.
            ranked = sorted(scores, key=lambda each: (-scores[each], -golden[each]))
            taken = min(ranked[:k], key=lambda each: golden[each])
            left = max(ranked[k:], key=lambda each: golden[each])
            tally.add(
                golden[left] - golden[taken] > margin,
                f"{case.id} has {shown(taken)} among its best {k}, not {shown(left)}",
            )
    return _finding(check_id, f"{name}.top_k", evidence, tally, f"have the same {k} best classes")


def _sum(check_id: str, evidence: GoldenEvidence, name: str, total: float, atol: float) -> Finding:
    """Whether the scores of every answer add up."""
    tally = _Tally()
    for case, scores in _answered(evidence, name):
        off = abs(sum(scores.values()) - total)
        off = math.inf if math.isnan(off) else off  # a sum of opposite infinities
        tally.add(
            off if off > atol else 0,
            f"those of {case.id} are {off:.3g} off {total:g}, {atol:g} is allowed",
        )
    return _finding(check_id, f"{name}.sum", evidence, tally, f"have scores that add up to {total:g}")


def _finding(check_id: str, what: str, evidence: GoldenEvidence, tally: _Tally, right: str) -> Finding:
    cases = len(evidence.cases)
    if tally.wrong:
        outcome, message = Outcome.FAIL, f"{tally.wrong} of {tally.samples} cases disagree; {tally.told}"
    elif tally.samples < cases or not tally.samples:
        outcome, message = Outcome.INCONCLUSIVE, f"only {tally.samples} of {cases} cases can be compared"
    else:
        outcome, message = Outcome.PASS, f"{tally.samples} cases {right}"
    return Finding(
        id=f"{check_id}.{what}",
        outcome=outcome,
        message=message,
        observed=tally.wrong,
        limit=0,
        unit="cases off",
        samples=tally.samples,
        evidence=evidence_path(check_id),
    )
