"""Judges searches for a capacity; pure."""

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.findings import OUTCOMES, finding
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.searched import CapacityEvidence
from harness.checks.latency.trial import Trial
from harness.model import Capability, Finding, Outcome
from harness.stats.judgement import Judgement, Shown
from harness.stats.shift import judge_median

ROUNDING = 1e-9
OF_SLO = 0.1
"""A generator that adds more than this share of the smallest limit decides whether it is met."""


def judge_capacity(evidence: CapacityEvidence, limits: LatencyLimits) -> list[Finding]:
    """Return findings for the least rate, the ratio to the reference's, and the throughput at saturation."""
    if not evidence.repeats:
        return [finding("repeats", Outcome.INCONCLUSIVE, "no search came to its end", samples=0)]
    own = _capacities(evidence, -1)
    doubt = _doubt(evidence, limits)
    judged = []
    if limits.capacity.min_per_s is not None:
        judged.append(_least(evidence, own, limits, limits.capacity.min_per_s, doubt))
    judged.append(_ratio(evidence, own, limits, doubt))
    if len(evidence.sides) == 1 and limits.capacity.min_per_s is None:
        message = f"it stands {np.median(own):.0f} requests a second; no capacity.min_per_s is declared"
        judged.append(finding("limits", Outcome.INCONCLUSIVE, message, samples=own.size))
    return [*judged, _saturation(evidence)]


def _capacities(evidence: CapacityEvidence, side: int) -> NDArray[np.float64]:
    return np.array([repeat[side].capacity_per_s for repeat in evidence.repeats], dtype=np.float64)


def _at_the_top(evidence: CapacityEvidence, capacities: NDArray[np.float64]) -> NDArray[np.bool_]:
    at_the_top: NDArray[np.bool_] = capacities >= evidence.most_per_s * (1.0 - ROUNDING)
    return at_the_top


def _most(evidence: CapacityEvidence, limits: LatencyLimits, side: int) -> NDArray[np.float64]:
    """Return the most that each search of a side may have found but for the ladder's end and the machine."""
    capacities = _capacities(evidence, side)
    ailing = [
        any(ailments(trial, limits) for trial in repeat[side].trials if not trial.met)
        for repeat in evidence.repeats
    ]
    most: NDArray[np.float64] = np.where(_at_the_top(evidence, capacities) | ailing, np.inf, capacities)
    return most


def ailments(trial: Trial, limits: LatencyLimits) -> list[str]:
    """Return by what a trial that did not meet its limits may have missed them, but by the service."""
    declared = [allowed.slo_ms for _, allowed in limits.by_name.values() if allowed.slo_ms]
    most_ms = OF_SLO * min(declared, default=math.inf)
    stolen = trial.steal_share or 0.0
    seen = {
        "the load generator sent late": trial.lag_p99_ms > min(most_ms, limits.max_generator_lag_p99_ms),
        "the load generator woke late": trial.heartbeat_p99_ms
        > min(most_ms, limits.max_generator_hiccup_p99_ms),
        "the machine's host gave CPU time to others": stolen > limits.max_cpu_steal,
    }
    return [what for what, ails in seen.items() if ails]


def _doubt(evidence: CapacityEvidence, limits: LatencyLimits) -> str:
    """Return why the searches show nothing, empty if they do."""
    declared = {name: allowed.slo_ms for name, (_, allowed) in limits.by_name.items() if allowed.slo_ms}
    if declared != evidence.slo_ms or limits.max_error_rate != evidence.max_error_rate:
        return "the searches were made by other limits"
    if evidence.generator_error:
        return f"the load generator failed: {evidence.generator_error}"
    return ""


def _ailing(evidence: CapacityEvidence, limits: LatencyLimits) -> str:
    """Return how many trials may have missed the limits by the machine, empty for none."""
    missed = [trial for trial in evidence.trials if not trial.met]
    seen = Counter(what for trial in missed for what in ailments(trial, limits))
    return "".join(
        f"; {what} in {count} of {len(missed)} trials that did not meet the limits, which may be why"
        for what, count in sorted(seen.items())
    )


def _least(
    evidence: CapacityEvidence,
    own: NDArray[np.float64],
    limits: LatencyLimits,
    least_per_s: float,
    doubt: str,
) -> Finding:
    judgement = judge_median(
        own,
        _most(evidence, limits, -1),
        least=least_per_s * (1.0 - ROUNDING),
        spending=limits.capacity_spending(evidence.checks),
    )
    return finding(
        "min",
        _outcome(judgement, doubt),
        f"it stands {np.median(own):.0f} requests a second within its limits (interval "
        f"{judgement.lower:.0f} to {judgement.upper:.0f}, {own.size} searches), "
        f"at least {least_per_s:g} have to be{_ending(doubt)}{_ailing(evidence, limits)}",
        samples=own.size,
        observed=float(np.median(own)),
        limit=least_per_s,
        unit="requests a second",
        bounds=(judgement.lower, judgement.upper),
        confidence=limits.confidence,
    )


def _ratio(
    evidence: CapacityEvidence, own: NDArray[np.float64], limits: LatencyLimits, doubt: str
) -> Finding:
    if len(evidence.sides) == 1:
        message = "there is no reference to compare the capacity with"
        missing = Capability.REFERENCE
        return finding("ratio", Outcome.NOT_APPLICABLE, message, samples=0, missing=missing)
    theirs = _capacities(evidence, 0)
    if not theirs.all():
        message = "the reference does not meet the limits at the lowest rate: lower capacity.least_per_s"
        return finding("ratio", Outcome.INCONCLUSIVE, message, samples=own.size)
    limit = 1.0 - limits.capacity.margin
    # Who stands the highest rate that was tried may stand more, and who missed its limits by the machine.
    judgement = judge_median(
        own / _most(evidence, limits, 0),
        _most(evidence, limits, -1) / theirs,
        least=limit * (1.0 - ROUNDING),
        spending=limits.capacity_spending(evidence.checks),
    )
    if judgement.shown is Shown.NEITHER and judgement.lower <= 0.0 and _at_the_top(evidence, theirs).any():
        doubt = doubt or "too much of it was at capacity.most_per_s: raise it"
    ratio = float(np.median(own / theirs))
    return finding(
        "ratio",
        _outcome(judgement, doubt),
        f"it stands {ratio:.3f} times the rate of the reference ({np.median(own):.0f} against "
        f"{np.median(theirs):.0f} requests a second; interval {judgement.lower:.3f} to "
        f"{judgement.upper:.3f}, {own.size} searches of each), "
        f"at least {limit:.3f} have to be{_ending(doubt)}{_ailing(evidence, limits)}",
        samples=own.size,
        observed=ratio,
        limit=limit,
        unit="times the reference",
        bounds=(judgement.lower, judgement.upper),
        confidence=limits.confidence,
    )


def _saturation(evidence: CapacityEvidence) -> Finding:
    most = [
        max(repeat[number].saturated_per_s for repeat in evidence.repeats)
        for number in range(len(evidence.sides))
    ]
    told = ", ".join(f"{name} {rate:.0f}" for name, rate in zip(evidence.sides, most, strict=True))
    return finding(
        "saturation",
        Outcome.PASS,
        f"most answers a second beyond the limits: {told}",
        samples=len(evidence.repeats),
        observed=most[-1],
        unit="answers a second",
    )


def _outcome(judgement: Judgement, doubt: str) -> Outcome:
    return Outcome.INCONCLUSIVE if doubt else OUTCOMES[judgement.shown]


def _ending(doubt: str) -> str:
    return f"; not decided, since {doubt}" if doubt else ""
