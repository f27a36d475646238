"""Judges searches for a capacity; pure."""

import math

import numpy as np
from numpy.typing import NDArray

from harness.checks.interface import EVIDENCE_FILE
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.searched import CapacityEvidence
from harness.model import Capability, Finding, Outcome
from harness.stats.shift import median_bounds

CHECK_ID = "latency.capacity"
ROUNDING = 1e-9


def judge_capacity(evidence: CapacityEvidence, limits: LatencyLimits) -> list[Finding]:
    """Return findings for the least rate, the ratio to the reference's, and the throughput at saturation."""
    if not evidence.repeats:
        return [_finding("repeats", Outcome.INCONCLUSIVE, "no search came to its end", samples=0)]
    own = _capacities(evidence, -1)
    doubt = _doubt(evidence, limits)
    judged = []
    if limits.capacity.min_per_s is not None:
        judged.append(_least(evidence, own, limits, limits.capacity.min_per_s, doubt))
    judged.append(_ratio(evidence, own, limits, doubt))
    if len(evidence.sides) == 1 and limits.capacity.min_per_s is None:
        message = f"it stands {np.median(own):.0f} requests a second; no capacity.min_per_s is declared"
        judged.append(_finding("limits", Outcome.INCONCLUSIVE, message, samples=own.size))
    return [*judged, _saturation(evidence)]


def _capacities(evidence: CapacityEvidence, side: int) -> NDArray[np.float64]:
    return np.array([repeat[side].capacity_per_s for repeat in evidence.repeats], dtype=np.float64)


def _at_the_top(evidence: CapacityEvidence, capacities: NDArray[np.float64]) -> NDArray[np.bool_]:
    at_the_top: NDArray[np.bool_] = capacities >= evidence.most_per_s * (1.0 - ROUNDING)
    return at_the_top


def _doubt(evidence: CapacityEvidence, limits: LatencyLimits) -> str:
    """Return why the searches show nothing, empty if they do."""
    declared = {name: allowed.slo_ms for name, (_, allowed) in limits.by_name.items() if allowed.slo_ms}
    if declared != evidence.slo_ms or limits.max_error_rate != evidence.max_error_rate:
        return "the searches were made by other limits"
    trials = [trial for repeat in evidence.repeats for side in repeat for trial in side.trials]
    late = [trial for trial in trials if trial.lag_p99_ms > limits.max_generator_lag_p99_ms]
    if any(not trial.met for trial in late):
        return f"the load generator was late in {len(late)} of {len(trials)} trials"
    return ""


def _least(
    evidence: CapacityEvidence,
    own: NDArray[np.float64],
    limits: LatencyLimits,
    least_per_s: float,
    doubt: str,
) -> Finding:
    lower, _ = median_bounds(own, limits.confidence)
    _, upper = median_bounds(np.where(_at_the_top(evidence, own), np.inf, own), limits.confidence)
    return _finding(
        "min",
        _outcome(lower, upper, least_per_s, doubt),
        f"it stands {np.median(own):.0f} requests a second within its limits (interval {lower:.0f} to "
        f"{upper:.0f}, {own.size} searches), at least {least_per_s:g} have to be{_ending(doubt)}",
        samples=own.size,
        observed=float(np.median(own)),
        limit=least_per_s,
        unit="requests a second",
        bounds=(lower, upper),
        confidence=limits.confidence,
    )


def _ratio(
    evidence: CapacityEvidence, own: NDArray[np.float64], limits: LatencyLimits, doubt: str
) -> Finding:
    if len(evidence.sides) == 1:
        message = "there is no reference to compare the capacity with"
        missing = Capability.REFERENCE
        return _finding("ratio", Outcome.NOT_APPLICABLE, message, samples=0, missing=missing)
    theirs = _capacities(evidence, 0)
    if not theirs.all():
        message = "the reference does not meet the limits at the lowest rate: lower capacity.least_per_s"
        return _finding("ratio", Outcome.INCONCLUSIVE, message, samples=own.size)
    limit = 1.0 - limits.capacity.margin
    # Who stands the highest rate that was tried may stand more.
    least = np.where(_at_the_top(evidence, theirs), 0.0, own / theirs)
    most = np.where(_at_the_top(evidence, own), np.inf, own / theirs)
    lower, upper = median_bounds(least, limits.confidence)[0], median_bounds(most, limits.confidence)[1]
    if lower <= 0.0 and upper >= limit and _at_the_top(evidence, theirs).any():
        doubt = doubt or "too much of it was at capacity.most_per_s: raise it"
    ratio = float(np.median(own / theirs))
    return _finding(
        "ratio",
        _outcome(lower, upper, limit, doubt),
        f"it stands {ratio:.3f} times the rate of the reference ({np.median(own):.0f} against "
        f"{np.median(theirs):.0f} requests a second; interval {lower:.3f} to {upper:.3f}, {own.size} "
        f"searches of each), at least {limit:.3f} have to be{_ending(doubt)}",
        samples=own.size,
        observed=ratio,
        limit=limit,
        unit="times the reference",
        bounds=(lower, upper),
        confidence=limits.confidence,
    )


def _saturation(evidence: CapacityEvidence) -> Finding:
    most = [
        max(repeat[number].saturated_per_s for repeat in evidence.repeats)
        for number in range(len(evidence.sides))
    ]
    told = ", ".join(f"{name} {rate:.0f}" for name, rate in zip(evidence.sides, most, strict=True))
    return _finding(
        "saturation",
        Outcome.PASS,
        f"most answers a second beyond the limits: {told}",
        samples=len(evidence.repeats),
        observed=most[-1],
        unit="answers a second",
    )


def _outcome(lower: float, upper: float, least: float, doubt: str) -> Outcome:
    if doubt:
        return Outcome.INCONCLUSIVE
    if lower >= least * (1.0 - ROUNDING):
        return Outcome.PASS
    return Outcome.FAIL if upper < least * (1.0 - ROUNDING) else Outcome.INCONCLUSIVE


def _ending(doubt: str) -> str:
    return f"; not decided, since {doubt}" if doubt else ""


def _finding(
    name: str,
    outcome: Outcome,
    message: str,
    *,
    samples: int,
    observed: float | None = None,
    limit: float | None = None,
    unit: str = "",
    bounds: tuple[float, float] = (math.nan, math.nan),
    confidence: float | None = None,
    missing: Capability | None = None,
) -> Finding:
    lower, upper = (bound if math.isfinite(bound) else None for bound in bounds)
    return Finding(
        id=f"{CHECK_ID}.{name}",
        outcome=outcome,
        message=message,
        observed=observed,
        limit=limit,
        unit=unit,
        samples=samples,
        lower=lower,
        upper=upper,
        confidence=confidence,
        evidence=f"{CHECK_ID}/{EVIDENCE_FILE}",
        missing=missing,
    )
