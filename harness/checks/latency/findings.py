"""How latency judgements read in a report."""

import math

from harness.checks.latency.evidence import SAMPLES_FILE
from harness.model import Capability, Finding, Outcome
from harness.stats.judgement import Judgement, Shown

CHECK_ID = "latency.paired"
OUTCOMES = {
    Shown.WITHIN: Outcome.PASS,
    Shown.BEYOND: Outcome.FAIL,
    Shown.NEITHER: Outcome.INCONCLUSIVE,
}


def finding(
    name: str,
    outcome: Outcome,
    message: str,
    *,
    samples: int,
    observed: float | None = None,
    limit: float | None = None,
    unit: str = "",
    confidence: float | None = None,
    missing: Capability | None = None,
) -> Finding:
    """Return a finding of the latency check."""
    return Finding(
        id=f"{CHECK_ID}.{name}",
        outcome=outcome,
        message=message,
        observed=observed,
        limit=limit,
        unit=unit,
        samples=samples,
        confidence=confidence,
        evidence=f"{CHECK_ID}/{SAMPLES_FILE}",
        missing=missing,
    )


def described_share(judgement: Judgement, limit: float) -> str:
    """Return the text for a share of failed requests."""
    return (
        f"{judgement.observed:.2%} of the requests failed "
        f"(interval {judgement.lower:.2%} to {judgement.upper:.2%}), allowed are {limit:.2%}"
    )


def described_quantile(name: str, judgement: Judgement, slo_ms: float | None, *, service_ms: float) -> str:
    """Return the text for a quantile of the response time, the service time beside it, and its limit, ms."""
    allowed = "no absolute limit is declared" if slo_ms is None else f"allowed are {_ms(slo_ms)}"
    return (
        f"{name} is {_ms(judgement.observed)} (interval {_ms(judgement.lower)} to {_ms(judgement.upper)}; "
        f"{_ms(service_ms)} from the actual send), {allowed}"
    )


def described_ratio(
    name: str, judgement: Judgement, limit: float, *, candidate_ms: float, reference_ms: float
) -> str:
    """Return the text for the ratio of two quantiles."""
    return (
        f"{name} is {judgement.observed:.3f} times the reference's "
        f"({_ms(candidate_ms)} against {_ms(reference_ms)}; "
        f"interval {judgement.lower:.3f} to {judgement.upper:.3f}), allowed are {limit:.3f}"
    )


def more_samples(judgement: Judgement, limit: float, *, samples: int, rate_per_s: float) -> str:
    """Return how much longer a run would decide, empty where it is decided."""
    if judgement.shown is not Shown.NEITHER:
        return ""
    bound = judgement.lower if judgement.observed > limit else judgement.upper
    if math.isinf(judgement.growth) and not 0 < bound < math.inf:
        return "; the measurement is too noisy, or too short, to show anything"
    if math.isinf(judgement.growth):
        return "; it lies so close to the limit that no reasonable number of samples would decide"
    needed = math.ceil(samples * (judgement.growth - 1.0))
    return f"; about {needed} more samples ({needed / rate_per_s:.0f} s) would decide"


def _ms(value: float) -> str:
    return "no answer" if math.isinf(value) else f"{value:.2f} ms"
