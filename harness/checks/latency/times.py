"""Judges the quantiles of the response time: by their SLO, and against the reference's."""

import math

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.decided import Decided, Judged, decided
from harness.checks.latency.findings import described_quantile, described_ratio, finding
from harness.checks.latency.limits import least_pairs
from harness.checks.latency.view import SideView, View
from harness.model import Capability, Outcome
from harness.stats.absolute import judge_quantile
from harness.stats.judgement import Judgement, Shown, both_show, with_power
from harness.stats.paired import judge_ratio
from harness.stats.quantiles import Times, least_samples, quantile
from harness.stats.spells import Aside

LATER_SHARE = 0.01
"""`Doubt.lag_ms` is a p99: so many requests may have been later."""


def absolute(view: View, name: str, *, alike: bool) -> Judged:
    """Judge a quantile by its SLO; where none is declared, report it.

    Args:
        view: The samples.
        name: Of the quantile.
        alike: Whether the reference fails as often, so that failed requests break no limit.
    """
    probability, declared = view.limits.by_name[name]
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
    surely_broken = at > 0 and judged(times_ms, at).shown is Shown.BEYOND
    least = least_samples(probability, view.limits.confidence)
    decision = decided(view, judgement, limit, least=least, surely_broken=surely_broken)
    decision = decision.unless_alike(excused=not surely_broken)
    if declared.slo_ms is None:
        decision = Decided(outcome=Outcome.PASS, ending="")  # a figure, which decides nothing
    service_ms = quantile(view.candidate.service_ms, probability)
    detectable_ms = judgement.detectable if decision.counts and declared.slo_ms is not None else None
    text = described_quantile(
        name,
        judgement,
        declared.slo_ms,
        service_ms=service_ms,
        detectable_ms=detectable_ms,
        powerful_ms=with_power(judgement, view.spending),
    )
    finding_name = name if declared.slo_ms is None else f"{name}.slo"
    return decision.judged(
        finding_name, text, view=view, judgement=judgement, limit=declared.slo_ms, unit="ms"
    )


def ratio(view: View, name: str) -> Judged:
    """Judge a quantile against the reference's."""
    probability, declared = view.limits.by_name[name]
    if view.reference is None:
        message = f"there is no reference to compare {name} with"
        missing = Capability.REFERENCE
        return Judged(
            finding=finding(f"{name}.ratio", Outcome.NOT_APPLICABLE, message, samples=0, missing=missing)
        )
    failures, aside = view.reference.failures, view.set_aside(probability)
    compared = ~(aside.pairs | view.reference.failed)
    # A pair that failed is never set aside, so that among the others its share is larger.
    most = (1.0 - aside.level(probability)) * np.count_nonzero(~aside.pairs)
    if view.void or failures > most:
        message = f"{failures} requests to the reference failed, which voids the comparison"
        void = finding(f"{name}.ratio", Outcome.INCONCLUSIVE, message, samples=view.samples)
        return Judged(finding=void, growth=math.inf)
    limit = 1.0 + declared.margin
    judgement = _compared(view, view.reference, aside, probability, limit)
    least = max(least_samples(probability, view.limits.confidence), least_pairs(probability))
    decision = decided(view, judgement, limit, least=least, samples=int(np.count_nonzero(compared)))
    told = ~view.reference.failed if judgement.of_all else compared
    text = described_ratio(
        name,
        judgement,
        limit,
        candidate_ms=quantile(view.candidate.response_ms[told], probability),
        reference_ms=quantile(view.reference.response_ms[told], probability),
        tells_detectable=decision.counts,
        powerful=with_power(judgement, view.spending),
    )
    if failures:
        text += f"; {failures} pairs are left out, since the reference failed"
    if aside.pairs.any():
        share = f"{aside.pairs.mean():.1%} of the pairs"
        text += (
            f"; by all pairs: in {share} both sides were slow at once"
            if judgement.of_all
            else f"; {share} are set aside: both sides were slow at once"
        )
    return decision.judged(
        f"{name}.ratio", text, view=view, judgement=judgement, limit=limit, unit="times the reference"
    )


def _compared(view: View, reference: SideView, aside: Aside, probability: float, limit: float) -> Judgement:
    """Judge a ratio, where the reference failed in both ways that this can be taken.

    Pairs left out spare the reference what counts as infinitely slow for the candidate, which rejects good
    candidates; counted alike, failures of the reference flatter the candidate. So both have to show it.
    """

    def judged(kept: NDArray[np.bool_]) -> Judgement:
        _, blocks = np.unique(view.blocks[kept], return_inverse=True)
        return judge_ratio(
            view.candidate.response_ms[kept],
            reference.response_ms[kept],
            blocks,
            probability=probability,
            limit=limit,
            spending=view.spending,
            aside=aside.only(kept),
        )

    left_out = judged(~reference.failed)
    return left_out if not reference.failures else both_show(left_out, judged(np.full(view.samples, True)))
