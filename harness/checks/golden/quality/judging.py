"""Judges the quality of a model on labelled cases; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.checks.golden.quality.evidence import Answered, Judged, QualityEvidence
from harness.checks.golden.quality.labelled import same
from harness.checks.golden.quality.settings import Ceiling, Floor, QualityLimits, QualitySettings
from harness.checks.interface import EVIDENCE_FILE
from harness.model import Capability, Finding, Outcome
from harness.stats.quality import Classified, difference, estimate

CHECK_ID = "golden.quality"
_EVIDENCE = f"{CHECK_ID}/{EVIDENCE_FILE}"
NOT_ASKED = Answered(problem="was not asked")


def judge_quality(evidence: QualityEvidence, limits: QualityLimits) -> list[Finding]:
    """One finding for the answers; of each measure one against its limit, and one against the reference's.

    A limit is one of the labelled set, which is the same for every release: there the observed value decides,
    and its interval is told. How a candidate stands to the reference is only seen by these cases: there the
    interval of the difference decides.
    """
    findings = [_answers(evidence)]
    if not evidence.cases:
        return findings
    if len(evidence.cases) < limits.least:
        return [*findings, *_too_few(evidence, limits)]
    candidate = _classified([case.candidate for case in evidence.cases], evidence.cases, evidence.quality)
    reference = None
    if evidence.compared:
        said = [case.reference or NOT_ASKED for case in evidence.cases]
        reference = _classified(said, evidence.cases, evidence.quality)
    known = not _unknown(evidence)
    for name, limit in limits.measures.items():
        measured = _Measured(name, limit, candidate, reference, known, limits.confidence, evidence.seed)
        findings += measured.against_its_limit() + measured.against_the_reference()
    return findings


def _answers(evidence: QualityEvidence) -> Finding:
    cases = evidence.cases
    lost = [case for case in cases if case.candidate.problem]
    unknown = _unknown(evidence)
    if not cases:
        outcome, message = Outcome.ERROR, "no labelled case was asked"
    elif lost:
        outcome = Outcome.FAIL
        message = (
            f"{len(lost)} of {len(cases)} cases have no prediction; {lost[0].id}: {lost[0].candidate.problem}"
        )
    elif unknown:
        outcome = Outcome.INCONCLUSIVE
        message = (
            f"the reference has no prediction for {len(unknown)} of {len(cases)} cases; "
            f"{unknown[0].id}: {(unknown[0].reference or NOT_ASKED).problem}"
        )
    else:
        outcome, message = Outcome.PASS, f"{len(cases)} of {len(cases)} cases have a prediction"
    return Finding(
        id=f"{CHECK_ID}.answers",
        outcome=outcome,
        message=message,
        observed=len(lost),
        limit=0,
        unit="cases without prediction",
        samples=len(cases),
        evidence=_EVIDENCE,
    )


def _unknown(evidence: QualityEvidence) -> list[Judged]:
    """The cases of which it is not known what the reference says."""
    return [case for case in evidence.cases if evidence.compared and (case.reference or NOT_ASKED).problem]


def _too_few(evidence: QualityEvidence, limits: QualityLimits) -> list[Finding]:
    return [
        Finding(
            id=f"{CHECK_ID}.{name}",
            outcome=Outcome.INCONCLUSIVE,
            message=f"{len(evidence.cases)} labelled cases, at least {limits.least} are needed",
            samples=len(evidence.cases),
            evidence=_EVIDENCE,
        )
        for name in limits.measures
    ]


def _classified(said: Sequence[Answered], cases: Sequence[Judged], quality: QualitySettings) -> Classified:
    """The answers as arrays; without a prediction a case counts as wrong, its score as wrong as can be."""
    positive = [quality.positive is not None and same(case.label, quality.positive) for case in cases]
    worst = [0.0 if each else 1.0 for each in positive]
    return Classified(
        correct=np.array(
            [
                one.label is not None and same(one.label, case.label)
                for one, case in zip(said, cases, strict=True)
            ]
        ),
        positive=np.array(positive),
        predicted=np.array(
            [
                quality.positive is not None and one.label is not None and same(one.label, quality.positive)
                for one in said
            ]
        ),
        score=np.array(
            [bad if one.score is None else one.score for one, bad in zip(said, worst, strict=True)], float
        ),
    )


@dataclass(frozen=True)
class _Measured:
    """One measure of the candidate, its limit, and the reference; ``known`` is whether that said all."""

    name: str
    limit: Floor | Ceiling
    candidate: Classified
    reference: Classified | None
    known: bool
    confidence: float
    seed: int

    def against_its_limit(self) -> list[Finding]:
        floor = isinstance(self.limit, Floor)
        bound = self.limit.at_least if isinstance(self.limit, Floor) else self.limit.at_most
        if bound is None:
            return []
        found = estimate(self.name, self.candidate, confidence=self.confidence, seed=self.seed)
        holds = found.observed >= bound if floor else found.observed <= bound
        words = "at least" if floor else "at most"
        message = (
            f"{found.observed:.4f} ({found.lower:.4f} to {found.upper:.4f}), {words} {bound:g} is asked"
            if not math.isnan(found.observed)
            else "is not defined: no case is predicted to have the positive label"
        )
        return [
            self._finding(
                "",
                outcome=Outcome.PASS if holds else Outcome.FAIL,
                message=message,
                observed=found.observed,
                limit=bound,
            )
        ]

    def against_the_reference(self) -> list[Finding]:
        margin = self.limit.margin
        if margin is None:
            return []
        if self.reference is None:
            message = "there is no reference to compare with"
            return [
                self._finding(
                    ".margin",
                    outcome=Outcome.NOT_APPLICABLE,
                    message=message,
                    missing=Capability.REFERENCE,
                )
            ]
        found = difference(
            self.name, self.candidate, self.reference, confidence=self.confidence, seed=self.seed
        )
        # From here on larger is worse, whichever way the measure goes.
        worse, least, most = (
            (0.0 - found.observed, 0.0 - found.upper, 0.0 - found.lower)
            if isinstance(self.limit, Floor)
            else (found.observed, found.lower, found.upper)
        )
        beyond = Outcome.FAIL if least > margin else Outcome.INCONCLUSIVE
        outcome = Outcome.PASS if most <= margin else beyond
        if not self.known:  # a case that it did not predict would count as wrong, in the candidate's favour
            outcome = Outcome.INCONCLUSIVE
        message = f"{worse:+.4f} worse than the reference ({least:+.4f} to {most:+.4f}), margin {margin:g}"
        if math.isnan(worse):
            message = "is not defined for candidate or reference: one never predicts the positive label"
        return [
            self._finding(
                ".margin",
                outcome=outcome,
                message=message,
                observed=worse,
                limit=margin,
                confidence=self.confidence,
            )
        ]

    def _finding(self, suffix: str, *, observed: float | None = None, **fields: Any) -> Finding:
        defined = None if observed is None or math.isnan(observed) else observed
        return Finding(
            id=f"{CHECK_ID}.{self.name}{suffix}",
            observed=defined,
            unit=self.name,
            samples=int(self.candidate.correct.size),
            evidence=_EVIDENCE,
            **fields,
        )
