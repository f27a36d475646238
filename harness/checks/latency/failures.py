"""Judges the share of failed requests."""

from harness.checks.latency.decided import Judged, decided
from harness.checks.latency.findings import described_share
from harness.checks.latency.view import View
from harness.stats.absolute import judge_share
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
