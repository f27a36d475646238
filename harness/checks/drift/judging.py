"""Judges what two services predicted for the same requests; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.checks.drift.binning import binned
from harness.checks.drift.evidence import Compared, DriftEvidence
from harness.checks.drift.settings import DriftLimits, PredictionSettings
from harness.checks.drift.slicing import Slice, slices_of
from harness.checks.interface import EVIDENCE_FILE
from harness.model import Finding, Outcome
from harness.stats.drift import divergences, joint_counts
from harness.stats.judgement import Shown
from harness.stats.proportions import clopper_pearson_lower, clopper_pearson_upper

CHECK_ID = "drift.predictions"
_EVIDENCE = f"{CHECK_ID}/{EVIDENCE_FILE}"
OUTCOMES = {Shown.WITHIN: Outcome.PASS, Shown.BEYOND: Outcome.FAIL, Shown.NEITHER: Outcome.INCONCLUSIVE}
WORST_FIRST = (Shown.BEYOND, Shown.NEITHER, Shown.WITHIN)
MOST_ASKED = 10_000_000


def judge_drift(evidence: DriftEvidence, limits: DriftLimits) -> list[Finding]:
    """A finding ``answers``; of each prediction ``disagreement``, ``psi``, ``jensen_shannon``, ``slices``."""
    both = [each for each in evidence.requests if not each.reference.problem and not each.candidate.problem]
    findings = [_answers(evidence, len(both))]
    for name, prediction in evidence.predictions.items():
        if len(both) < limits.min_requests:
            findings.append(_too_few(name, len(both), limits))
            continue
        apart = differs(both, name, prediction)
        findings.append(_disagreement(name, apart, limits))
        findings += _distribution(name, prediction, both, limits, evidence.seed)
        if evidence.slices:
            absent = [each for each in evidence.slices if not any(each in one.slices for one in both)]
            findings.append(_slices(name, apart, slices_of(both, evidence.slices), absent, limits))
    return findings


def differs(both: Sequence[Compared], name: str, prediction: PredictionSettings) -> NDArray[np.bool_]:
    """Which requests are predicted otherwise; shape (n,)."""
    pairs = [(each.reference.predictions[name], each.candidate.predictions[name]) for each in both]
    if prediction.kind == "number":
        return np.array([abs(float(a) - float(b)) > prediction.tolerance for a, b in pairs])
    return np.array([(type(a), a) != (type(b), b) for a, b in pairs])


def _answers(evidence: DriftEvidence, comparable: int) -> Finding:
    lost = [each for each in evidence.requests if each.candidate.problem and not each.reference.problem]
    gained = [each for each in evidence.requests if each.reference.problem and not each.candidate.problem]
    asked = f"{len(evidence.requests)} requests from {evidence.source}"
    if evidence.available > len(evidence.requests):
        asked += f" (a sample of {evidence.available})"
    if lost:
        outcome = Outcome.FAIL
        message = (
            f"{len(lost)} of {asked} are predicted by the reference and not by the candidate; "
            f"{lost[0].id}: {lost[0].candidate.problem}"
        )
    elif not comparable:
        neither = next((each for each in evidence.requests if each.reference.problem), None)
        why = f"; {neither.id}, the reference: {neither.reference.problem}" if neither else ""
        outcome, message = Outcome.INCONCLUSIVE, f"none of {asked} has two predictions to compare{why}"
    elif gained:
        outcome = Outcome.WARN
        message = (
            f"{len(gained)} of {asked} are predicted by the candidate and not by the reference; "
            f"{gained[0].id}: {gained[0].reference.problem}"
        )
    else:
        outcome, message = Outcome.PASS, f"{comparable} of {asked} are predicted by both"
    return Finding(
        id=f"{CHECK_ID}.answers",
        outcome=outcome,
        message=message,
        observed=len(lost),
        limit=0,
        unit="requests without prediction",
        samples=len(evidence.requests),
        evidence=_EVIDENCE,
    )


def _too_few(name: str, comparable: int, limits: DriftLimits) -> Finding:
    return Finding(
        id=f"{CHECK_ID}.{name}",
        outcome=Outcome.INCONCLUSIVE,
        message=f"{comparable} requests have two predictions to compare, {limits.min_requests} are needed",
        observed=comparable,
        limit=limits.min_requests,
        unit="requests",
        samples=comparable,
        evidence=_EVIDENCE,
    )


def _disagreement(name: str, apart: NDArray[np.bool_], limits: DriftLimits) -> Finding:
    hits, samples, alpha = int(apart.sum()), apart.size, 1.0 - limits.confidence
    shown, lower, upper = share_shown(hits, samples, limits.disagreement, alpha)
    message = (
        f"{hits} of {samples} requests are predicted otherwise, "
        f"{lower:.2%} to {upper:.2%} of all such requests; limit {limits.disagreement:.2%}"
    )
    if shown is Shown.NEITHER:
        message += needed(hits / samples, limits.disagreement, alpha)
    return Finding(
        id=f"{CHECK_ID}.{name}.disagreement",
        outcome=OUTCOMES[shown],
        message=message,
        observed=hits / samples,
        limit=limits.disagreement,
        unit="share of requests",
        samples=samples,
        confidence=limits.confidence,
        evidence=_EVIDENCE,
    )


def share_shown(hits: int, samples: int, limit: float, alpha: float) -> tuple[Shown, float, float]:
    """What ``hits`` of ``samples`` show of a share and its limit, and its exact bounds, each at ``alpha``."""
    lower = clopper_pearson_lower(hits, samples, alpha)
    upper = clopper_pearson_upper(hits, samples, alpha)
    if upper <= limit:
        return Shown.WITHIN, lower, upper
    return (Shown.BEYOND if lower > limit else Shown.NEITHER), lower, upper


def needed(share: float, limit: float, alpha: float, what: str = "requests") -> str:
    """How many requests would show something if the share stayed; empty for the share on the limit."""
    samples = 1
    while samples < MOST_ASKED:
        samples *= 2
        if share_shown(round(share * samples), samples, limit, alpha)[0] is not Shown.NEITHER:
            return f"; about {samples} {what} would tell"
    return ""


def _distribution(
    name: str, prediction: PredictionSettings, both: Sequence[Compared], limits: DriftLimits, seed: int
) -> list[Finding]:
    parts = binned(both, name, prediction)
    joint = joint_counts(parts.reference, parts.candidate, len(parts.labels))
    found = divergences(joint, confidence=limits.confidence, seed=seed)
    measures = (
        ("psi", found.psi, limits.psi, "population stability index"),
        ("jensen_shannon", found.jensen_shannon, limits.jensen_shannon, "bits"),
    )
    return [
        Finding(
            id=f"{CHECK_ID}.{name}.{measure}",
            outcome=OUTCOMES[each.shown(limit)],
            message=f"{each.observed:.3g} ({each.lower:.3g} to {each.upper:.3g}), limit {limit:g}",
            observed=each.observed,
            limit=limit,
            unit=unit,
            samples=len(both),
            confidence=limits.confidence,
            evidence=_EVIDENCE,
        )
        for measure, each, limit, unit in measures
    ]


def _slices(
    name: str, apart: NDArray[np.bool_], slices: Sequence[Slice], absent: Sequence[str], limits: DriftLimits
) -> Finding:
    """The worst slice; its bounds allow for as many slices as were looked at (Bonferroni)."""
    judged = [each for each in slices if each.requests.size >= limits.min_slice]
    identity = f"{CHECK_ID}.{name}.slices"
    if absent or not judged:
        message = f"none of {len(slices)} slices has {limits.min_slice} requests"
        if absent:
            message = f"no request has a value at the pointer of {', '.join(absent)}"
        return Finding(id=identity, outcome=Outcome.INCONCLUSIVE, message=message, evidence=_EVIDENCE)
    alpha = (1.0 - limits.confidence) / len(judged)
    seen = [_SeenSlice.of(each, apart, limits.slice_disagreement, alpha) for each in judged]
    verdict = min((each.shown for each in seen), key=WORST_FIRST.index)
    worst = sorted((each for each in seen if each.shown is verdict), key=lambda each: -each.share)
    listed = ", ".join(f"{each.name}: {each.hits} of {each.samples}" for each in worst[:3])
    message = (
        f"worst of {len(judged)} slices: {listed} predicted otherwise; limit {limits.slice_disagreement:.2%}"
    )
    if small := len(slices) - len(judged):
        message += f"; {small} slices have fewer than {limits.min_slice} requests"
    if verdict is Shown.NEITHER:
        message += needed(worst[0].share, limits.slice_disagreement, alpha, "requests in each slice")
    return Finding(
        id=identity,
        outcome=OUTCOMES[verdict],
        message=message,
        observed=worst[0].share,
        limit=limits.slice_disagreement,
        unit="share of requests",
        samples=worst[0].samples,
        confidence=limits.confidence,
        evidence=_EVIDENCE,
    )


@dataclass(frozen=True)
class _SeenSlice:
    name: str
    hits: int
    samples: int
    shown: Shown

    @classmethod
    def of(cls, part: Slice, apart: NDArray[np.bool_], limit: float, alpha: float) -> Self:
        hits, samples = int(apart[part.requests].sum()), int(part.requests.size)
        return cls(part.name, hits, samples, share_shown(hits, samples, limit, alpha)[0])

    @property
    def share(self) -> float:
        return self.hits / self.samples
