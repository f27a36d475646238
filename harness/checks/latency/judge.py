"""Judges latency samples; pure.

Every limit is judged at the last declared look that the samples have reached, on the samples until then.
A limit is kept only if the data show it (at 1 - confidence, divided among the looks), broken only if the
data show that (at the same, divided among all latency checks, their limits and devices too, since any one of
them rejects), and inconclusive otherwise. The methods are in `harness.stats.paired`,
`harness.stats.absolute` and `harness.stats.looks`.

A measurement in doubt keeps no limit, and breaks an absolute one only by what neither the generator nor the
machine can have done (`View.least_ms`, `View.surely_failed`).
"""

import math
from collections.abc import Callable, Sequence

from harness.checks.latency.decided import Judged
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.failures import error_excess, error_rate, fail_alike
from harness.checks.latency.findings import CHECK_ID, finding
from harness.checks.latency.gpu_findings import judge_gpu
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.promises_judge import judge_promises
from harness.checks.latency.snapshot_findings import judge_snapshots
from harness.checks.latency.times import absolute, ratio
from harness.checks.latency.usage_judge import judge_usage
from harness.checks.latency.validity import judge_validity
from harness.checks.latency.view import View
from harness.checks.latency.warmup import warmup
from harness.model import Finding, Outcome

Limit = Callable[[LatencyEvidence, View], Judged]
"""Judges one limit that a check has besides those of `latency.paired`, on the evidence until the look."""


def should_stop(evidence: LatencyEvidence, limits: LatencyLimits, besides: Sequence[Limit] = ()) -> bool:
    """Say whether more blocks could not help: a limit is broken, or nothing is left that they could decide.

    Verdicts are asked for at the declared looks only. More failed requests of the reference than may be left
    out void the ratios for good; the error rate and the SLOs may still reject.
    """
    if evidence.blocks not in evidence.looks.at_blocks:
        return False
    # Two maxima are compared once: to stop when they break the limit would be to look again and again.
    once = f"{CHECK_ID}.memory.ratio"
    findings = [each.finding for each in _judged(evidence, limits, besides) if each.finding.id != once]
    if any(item.outcome is Outcome.FAIL for item in findings):
        return True
    hopeless = {f"{CHECK_ID}.limits"}
    if evidence.reference_failures > limits.max_reference_failures * evidence.planned_pairs:
        hopeless |= {f"{CHECK_ID}.{name}.ratio" for name in (*limits.by_name, "cpu")}
    return not any(item.outcome is Outcome.INCONCLUSIVE and item.id not in hopeless for item in findings)


def judge(
    evidence: LatencyEvidence,
    limits: LatencyLimits,
    besides: Sequence[Limit] = (),
    *,
    budget: str = "budget_s",
) -> Sequence[Finding]:
    """Return findings for validity, error rate, each quantile's SLO and ratio, and how long it took.

    Args:
        evidence: What was seen.
        limits: What it is held against.
        besides: The limits that the check has besides.
        budget: The key under ``[latency]`` that says how long the load may take.
    """
    judged = _judged(evidence, limits, besides)
    findings = [item.finding for item in judged] + judge_snapshots(evidence.snapshots)
    findings += judge_gpu(evidence.usage.gpu, evidence.candidate)
    look = evidence.looks.latest(evidence.blocks)
    return findings if look is None else [*findings, _time_to_verdict(evidence, look, judged, budget)]


def _judged(evidence: LatencyEvidence, limits: LatencyLimits, besides: Sequence[Limit]) -> Sequence[Judged]:
    validity, doubt = judge_validity(evidence, limits)
    judged = [Judged(finding=item, growth=math.inf) for item in validity]
    look = evidence.looks.latest(evidence.blocks)
    if look is None:
        first = evidence.looks.at_blocks[0]
        message = f"{evidence.blocks} blocks were sent, the first verdict takes {first}"
        undecided = finding("samples", Outcome.INCONCLUSIVE, message, samples=evidence.executed)
        return [*judged, Judged(finding=undecided, growth=math.inf)]
    view = View.of(evidence, limits, look, doubt, len(besides))
    alike = fail_alike(view)
    judged += [*_limits(view), error_rate(view, alike=alike), *error_excess(view)]
    left_out, warm = warmup(view)
    judged.append(warm)
    settled = view.after(left_out)
    for name in limits.by_name:
        # A release that starts slower is slower: what is left out is left out of comparisons only.
        judged += [absolute(view, name, alike=alike), ratio(settled, name)]
    seen = evidence.until(look)
    judged += [limit(seen, view) for limit in besides]
    return [*judged, *judge_usage(view), *judge_promises(view, evidence.promises)]


def _limits(view: View) -> list[Judged]:
    """Return a finding where nothing is held against any time: that is no pass."""
    if view.reference is not None or any(declared.slo_ms for _, declared in view.limits.by_name.values()):
        return []
    message = "no latency limit applies: there is no reference to compare with, and no slo_ms is declared"
    nothing = finding("limits", Outcome.INCONCLUSIVE, message, samples=view.samples)
    return [Judged(finding=nothing, growth=math.inf)]


def _time_to_verdict(evidence: LatencyEvidence, look: int, judged: Sequence[Judged], budget: str) -> Finding:
    """Say how much of the load it took, or would take."""
    took_s, budget_s = look * evidence.block_s, evidence.planned_blocks * evidence.block_s
    undecided = [item for item in judged if item.finding.outcome is Outcome.INCONCLUSIVE]
    rejected = any(item.finding.outcome is Outcome.FAIL for item in judged)
    after = f"after {took_s:.1f} s of {budget_s:.1f} s of load"
    message = f"decided {after}"
    if undecided and not rejected:
        needed_s = took_s * max(item.growth for item in undecided)
        message = (
            f"not decided {after}; a load of about {needed_s:.0f} s would ({budget})"
            if math.isfinite(needed_s)
            else f"not decided {after}; a longer load would not change that"
        )
    return finding(
        "time_to_verdict",
        Outcome.INCONCLUSIVE if undecided and not rejected else Outcome.PASS,
        message,
        samples=evidence.executed,
        observed=took_s,
        limit=budget_s,
        unit="s",
    )
