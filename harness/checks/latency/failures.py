"""Judges the share of failed requests."""

from harness.checks.latency.decided import Judged, decided
from harness.checks.latency.findings import described_excess, described_share, finding
from harness.checks.latency.view import View
from harness.model import Capability, Outcome
from harness.stats.absolute import judge_share
from harness.stats.difference import judge_excess
from harness.stats.judgement import Shown, Spending


def fail_alike(view: View) -> bool:
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


def error_rate(view: View, *, alike: bool) -> Judged:
    """Judge the candidate's share of failures by `max_error_rate`.

    Args:
        view: The samples.
        alike: Whether the reference fails as often.
    """
    limit = view.limits.max_error_rate
    judgement = judge_share(view.candidate.failed, view.groups, limit=limit, spending=view.spending)
    sure = judge_share(view.surely_failed, view.groups, limit=limit, spending=view.spending)
    decision = decided(view, judgement, limit, surely_broken=sure.shown is Shown.BEYOND)
    decision = decision.unless_alike(excused=alike)
    text = described_share(judgement, limit, tells_detectable=decision.counts)
    return decision.judged(
        "error_rate", text, view=view, judgement=judgement, limit=limit, unit="share of requests"
    )


def error_excess(view: View) -> list[Judged]:
    """Judge by how much the candidate's share of failures exceeds the reference's, where that is limited."""
    limit = view.limits.error_rate_margin
    if limit is None:
        return []
    name = "error_rate.excess"
    if view.reference is None:
        message = "there is no reference to compare the error rate with"
        missing = Capability.REFERENCE
        return [Judged(finding=finding(name, Outcome.NOT_APPLICABLE, message, samples=0, missing=missing))]
    theirs = view.reference.failed
    judgement, sure = (
        judge_excess(failed, theirs, view.groups, limit=limit, spending=view.spending)
        for failed in (view.candidate.failed, view.surely_failed)
    )
    decision = decided(view, judgement, limit, surely_broken=sure.shown is Shown.BEYOND)
    text = described_excess(
        judgement,
        limit,
        candidate=view.candidate.failures / view.samples,
        reference=view.reference.failures / view.samples,
        tells_detectable=decision.counts,
    )
    return [
        decision.judged(name, text, view=view, judgement=judgement, limit=limit, unit="share of requests")
    ]
