"""Judges latency samples; pure.

Every limit is judged at the last declared look that the samples have reached, on the samples until then.
A limit is kept only if the data show it (at 1 - confidence, divided among the looks), broken only if the
data show that (at the same, divided among all limits too, since any one of them rejects), and inconclusive
otherwise. The methods are in `harness.stats.paired`, `harness.stats.absolute` and `harness.stats.looks`.

A measurement in doubt keeps no limit, and breaks an absolute one only by what neither the generator nor the
machine can have done (`View.least_ms`, `View.surely_failed`).
"""

import math
from collections.abc import Sequence

import numpy as np

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import (
    CHECK_ID,
    OUTCOMES,
    described_quantile,
    described_ratio,
    described_share,
    finding,
    more_samples,
)
from harness.checks.latency.settings import LatencyLimits
from harness.checks.latency.validity import judge_validity
from harness.checks.latency.view import View
from harness.model import Capability, Finding, Outcome
from harness.stats.absolute import judge_quantile, judge_share
from harness.stats.judgement import Judgement, Shown, Spending
from harness.stats.paired import judge_ratio
from harness.stats.quantiles import Times, least_samples, quantile

LEAST_BEYOND = 10
"""A comparison of quantiles takes this many samples of each side beyond them: 1,000 samples for p99."""
LATER_SHARE = 0.01
"""`Doubt.lag_ms` is a p99: so many requests may have been later."""
ALIKE = "; not decided, since the reference fails alike"


def should_stop(evidence: LatencyEvidence, limits: LatencyLimits) -> bool:
    """Say whether more blocks could not help: a limit is broken, or nothing is left that they could decide.

    Verdicts are asked for at the declared looks only. A failed request of the reference voids the ratios for
    good; the error rate and the SLOs may still reject.
    """
    if evidence.blocks not in evidence.looks.at_blocks:
        return False
    findings = judge(evidence, limits)
    if any(item.outcome is Outcome.FAIL for item in findings):
        return True
    hopeless = {f"{CHECK_ID}.limits"}
    if evidence.reference_failures:
        hopeless |= {f"{CHECK_ID}.{name}.ratio" for name in limits.quantiles}
    return not any(item.outcome is Outcome.INCONCLUSIVE and item.id not in hopeless for item in findings)


def judge(evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
    """Return findings for the measurement's validity, the error rate, and each quantile's SLO and ratio."""
    validity, doubt = judge_validity(evidence, limits)
    look = evidence.looks.latest(evidence.blocks)
    if look is None:
        first = evidence.looks.at_blocks[0]
        message = f"{evidence.blocks} blocks were sent, the first verdict takes {first}"
        return [*validity, finding("samples", Outcome.INCONCLUSIVE, message, samples=evidence.executed)]
    view = View.of(evidence, limits, look, doubt)
    alike = _fail_alike(view)
    findings = [*validity, *_limits(view), _error_rate(view, alike=alike)]
    for name in limits.quantiles:
        findings += [_absolute(view, name, alike=alike), _ratio(view, name)]
    return findings


def _limits(view: View) -> list[Finding]:
    """Return a finding where nothing is held against any time: that is no pass."""
    if view.reference is not None or any(declared.slo_ms for _, declared in view.limits.quantiles.values()):
        return []
    message = "no latency limit applies: there is no reference to compare with, and no slo_ms is declared"
    return [finding("limits", Outcome.INCONCLUSIVE, message, samples=view.samples)]


def _fail_alike(view: View) -> bool:
    """Say whether the reference fails, and the candidate is not shown to fail more often.

    Then whatever ails both, a wrong credential for instance, is not the candidate's fault.
    """
    if view.reference is None or not view.reference.failures:
        return False
    limit = view.limits.max_error_rate
    strict = Spending(within=view.spending.beyond, beyond=view.spending.beyond)
    theirs = judge_share(view.reference.failed, view.groups, limit=limit, spending=strict)
    own = judge_share(view.surely_failed, view.groups, limit=limit, spending=strict)
    return own.lower <= theirs.upper


def _error_rate(view: View, *, alike: bool) -> Finding:
    limit = view.limits.max_error_rate
    judgement = judge_share(view.candidate.failed, view.groups, limit=limit, spending=view.spending)
    sure = judge_share(view.surely_failed, view.groups, limit=limit, spending=view.spending)
    outcome, ending = _decided(view, judgement, limit, surely_broken=sure.shown is Shown.BEYOND)
    if outcome is Outcome.FAIL and alike:
        outcome, ending = Outcome.INCONCLUSIVE, ALIKE
    return finding(
        "error_rate",
        outcome,
        described_share(judgement, limit) + ending,
        samples=view.samples,
        observed=judgement.observed,
        limit=limit,
        unit="share of requests",
        confidence=view.limits.confidence,
    )


def _absolute(view: View, name: str, *, alike: bool) -> Finding:
    """Judge a quantile by its SLO; where none is declared, report it."""
    probability, declared = view.limits.quantiles[name]
    limit = math.inf if declared.slo_ms is None else declared.slo_ms

    def judged(times_ms: Times, probability: float) -> Judgement:
        return judge_quantile(
            times_ms, view.groups, probability=probability, limit=limit, spending=view.spending
        )

    judgement = judged(view.candidate.response_ms, probability)
    times_ms, at = view.candidate.response_ms, probability
    if view.doubt.why:
        times_ms, at = view.least_ms(probability), probability - LATER_SHARE
    if alike:
        times_ms = np.where(view.candidate.failed, 0.0, times_ms)
    surely_broken = judged(times_ms, at).shown is Shown.BEYOND
    least = least_samples(probability, view.limits.confidence)
    outcome, ending = _decided(view, judgement, limit, least=least, surely_broken=surely_broken)
    if outcome is Outcome.FAIL and not surely_broken:
        outcome, ending = Outcome.INCONCLUSIVE, ALIKE
    service_ms = quantile(view.candidate.service_ms, probability)
    return finding(
        name if declared.slo_ms is None else f"{name}.slo",
        outcome,
        described_quantile(name, judgement, declared.slo_ms, service_ms=service_ms) + ending,
        samples=view.samples,
        observed=judgement.observed,
        limit=declared.slo_ms,
        unit="ms",
        confidence=view.limits.confidence,
    )


def _ratio(view: View, name: str) -> Finding:
    probability, declared = view.limits.quantiles[name]
    if view.reference is None:
        message = f"there is no reference to compare {name} with"
        missing = Capability.REFERENCE
        return finding(f"{name}.ratio", Outcome.NOT_APPLICABLE, message, samples=0, missing=missing)
    if view.reference.failures:
        message = f"{view.reference.failures} requests to the reference failed, which voids the comparison"
        return finding(f"{name}.ratio", Outcome.INCONCLUSIVE, message, samples=view.samples)
    limit = 1.0 + declared.margin
    judgement = judge_ratio(
        view.candidate.response_ms,
        view.reference.response_ms,
        view.blocks,
        probability=probability,
        limit=limit,
        spending=view.spending,
    )
    enough_beyond = round(LEAST_BEYOND / (1.0 - probability))
    least = max(least_samples(probability, view.limits.confidence), enough_beyond)
    outcome, ending = _decided(view, judgement, limit, least=least)
    text = described_ratio(
        name,
        judgement,
        limit,
        candidate_ms=quantile(view.candidate.response_ms, probability),
        reference_ms=quantile(view.reference.response_ms, probability),
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


def _decided(
    view: View, judgement: Judgement, limit: float, *, least: int = 0, surely_broken: bool = False
) -> tuple[Outcome, str]:
    """Return the outcome and how the message ends: too few samples or a doubt outweigh what is shown.

    Args:
        view: The samples.
        judgement: What they show.
        limit: What they were judged by.
        least: So many samples it takes.
        surely_broken: Whether the limit is broken whatever is in doubt.
    """
    if view.samples < least:
        return Outcome.INCONCLUSIVE, f"; {view.samples} samples, it takes at least {least}"
    if view.doubt.why:
        if surely_broken:
            return Outcome.FAIL, f"; by more than can be explained by this: {view.doubt.why}"
        return Outcome.INCONCLUSIVE, f"; not decided, since {view.doubt.why}"
    ending = more_samples(judgement, limit, samples=view.samples, rate_per_s=view.rate_per_s)
    return OUTCOMES[judgement.shown], ending
