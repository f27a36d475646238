"""Judges latency samples; pure.

Every limit is judged at the last declared look that the samples have reached, on the samples until then.
A limit is kept only if the data show it (at 1 - confidence, divided among the looks), broken only if the
data show that (at the same, divided among all limits too, since any one of them rejects), and inconclusive
otherwise. The methods are in `harness.stats.paired`, `harness.stats.absolute` and `harness.stats.looks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import (
    OUTCOMES,
    described_ratio,
    described_share,
    described_slo,
    finding,
    more_samples,
)
from harness.checks.latency.settings import LatencyLimits
from harness.checks.latency.validity import judge_validity
from harness.model import Capability, Finding, Outcome
from harness.stats.absolute import judge_quantile, judge_share
from harness.stats.groups import group_of_block
from harness.stats.judgement import Judgement, Spending
from harness.stats.paired import judge_ratio
from harness.stats.quantiles import Times, least_samples, quantile

LEAST_BEYOND = 10
"""A comparison of quantiles takes this many samples of each side beyond them: 1,000 samples for p99."""
MS = 1000.0


def should_stop(evidence: LatencyEvidence, limits: LatencyLimits) -> bool:
    """Say whether more blocks could not help: all limits kept, one broken, or the comparison void.

    Verdicts are asked for at the declared looks only.
    """
    if evidence.reference_failures:
        return True
    if evidence.blocks not in evidence.looks.at_blocks:
        return False
    outcomes = {finding.outcome for finding in judge(evidence, limits)}
    return Outcome.FAIL in outcomes or Outcome.INCONCLUSIVE not in outcomes


def judge(evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
    """Return findings for the measurement's validity, the error rate, and each quantile's SLO and ratio."""
    validity, doubt = judge_validity(evidence, limits)
    look = evidence.looks.latest(evidence.blocks)
    if look is None:
        first = evidence.looks.at_blocks[0]
        message = f"{evidence.blocks} blocks were sent, the first verdict takes {first}"
        return [*validity, finding("samples", Outcome.INCONCLUSIVE, message, samples=evidence.executed)]
    view = _View.of(evidence, limits, look)
    findings = [_error_rate(view)]
    for name, (_, declared) in limits.quantiles.items():
        findings += [] if declared.slo_ms is None else [_slo(view, name, declared.slo_ms, doubt)]
        findings.append(_ratio(view, name, 1.0 + declared.margin, doubt))
    return [*validity, *findings]


@dataclass(frozen=True, kw_only=True)
class _View:
    """The samples up to a look and what may be spent there; times in ms, shape (n,), row i is pair i."""

    limits: LatencyLimits
    spending: Spending
    rate_per_s: float
    candidate_ms: Times
    candidate_failed: NDArray[np.bool_]
    reference_ms: Times | None
    reference_failures: int
    blocks: NDArray[np.intp]
    groups: NDArray[np.intp]

    @classmethod
    def of(cls, evidence: LatencyEvidence, limits: LatencyLimits, look: int) -> Self:
        """Cut the evidence at a look."""
        samples = evidence.samples.until(look)
        rows = samples.of_side(evidence.candidate)
        response_ms = MS * samples.response_s
        quantiles = limits.quantiles.values()
        slos = sum(declared.slo_ms is not None for _, declared in quantiles)
        ratios = 0 if evidence.reference is None else len(quantiles)
        alpha = evidence.looks.alpha_at(look, 1.0 - limits.confidence)
        return cls(
            limits=limits,
            spending=Spending(within=alpha, beyond=alpha / (1 + slos + ratios)),
            rate_per_s=evidence.rate_per_s,
            candidate_ms=response_ms[rows],
            candidate_failed=samples.failed[rows],
            reference_ms=None
            if evidence.reference is None
            else response_ms[samples.of_side(evidence.reference)],
            reference_failures=evidence.reference_failures,
            blocks=samples.block[rows].astype(np.intp),
            groups=group_of_block(look)[samples.block[rows]],
        )

    @property
    def samples(self) -> int:
        """Samples of the candidate."""
        return self.candidate_ms.size


def _error_rate(view: _View) -> Finding:
    limit = view.limits.max_error_rate
    judgement = judge_share(view.candidate_failed, view.groups, limit=limit, spending=view.spending)
    return finding(
        "error_rate",
        OUTCOMES[judgement.shown],
        described_share(judgement, limit) + more_samples(judgement, view.samples, view.rate_per_s),
        samples=view.samples,
        observed=judgement.observed,
        limit=limit,
        unit="share of requests",
        confidence=view.limits.confidence,
    )


def _slo(view: _View, name: str, slo_ms: float, doubt: str) -> Finding:
    probability, _ = view.limits.quantiles[name]
    judgement = judge_quantile(
        view.candidate_ms, view.groups, probability=probability, limit=slo_ms, spending=view.spending
    )
    least = least_samples(probability, view.limits.confidence)
    outcome, ending = _decided(view, judgement, least, doubt)
    return finding(
        f"{name}.slo",
        outcome,
        described_slo(name, judgement, slo_ms) + ending,
        samples=view.samples,
        observed=judgement.observed,
        limit=slo_ms,
        unit="ms",
        confidence=view.limits.confidence,
    )


def _ratio(view: _View, name: str, limit: float, doubt: str) -> Finding:
    probability, _ = view.limits.quantiles[name]
    if view.reference_ms is None:
        message = f"there is no reference to compare {name} with"
        missing = Capability.REFERENCE
        return finding(f"{name}.ratio", Outcome.NOT_APPLICABLE, message, samples=0, missing=missing)
    if view.reference_failures:
        message = f"{view.reference_failures} requests to the reference failed, which voids the comparison"
        return finding(f"{name}.ratio", Outcome.INCONCLUSIVE, message, samples=view.samples)
    judgement = judge_ratio(
        view.candidate_ms,
        view.reference_ms,
        view.blocks,
        probability=probability,
        limit=limit,
        spending=view.spending,
    )
    enough_beyond = round(LEAST_BEYOND / (1.0 - probability))
    least = max(least_samples(probability, view.limits.confidence), enough_beyond)
    outcome, ending = _decided(view, judgement, least, doubt)
    text = described_ratio(
        name,
        judgement,
        limit,
        candidate_ms=quantile(view.candidate_ms, probability),
        reference_ms=quantile(view.reference_ms, probability),
    )
    return finding(
        f"{name}.ratio",
        outcome,
        text + ending,
        samples=view.samples,
        observed=judgement.observed,
        limit=limit,
        unit="times the reference",
        confidence=view.limits.confidence,
    )


def _decided(view: _View, judgement: Judgement, least: int, doubt: str) -> tuple[Outcome, str]:
    """Return the outcome and how the message ends: a doubt or too few samples outweigh what is shown."""
    if doubt:
        return Outcome.INCONCLUSIVE, f"; not decided, since {doubt}"
    if view.samples < least:
        return Outcome.INCONCLUSIVE, f"; {view.samples} samples, it takes at least {least}"
    return OUTCOMES[judgement.shown], more_samples(judgement, view.samples, view.rate_per_s)
