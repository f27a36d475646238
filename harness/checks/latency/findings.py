"""How latency judgements read in a report."""

import math
from collections.abc import Sequence

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
    bounds: tuple[float, float] = (math.nan, math.nan),
    detectable: float = math.nan,
    confidence: float | None = None,
    missing: Capability | None = None,
) -> Finding:
    """Return a finding of the latency check; of `bounds` and `detectable` what is finite."""
    lower, upper, detectable_or_none = (
        value if math.isfinite(value) else None for value in (*bounds, detectable)
    )
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
        detectable=detectable_or_none,
        confidence=confidence,
        evidence=f"{CHECK_ID}/{SAMPLES_FILE}",
        missing=missing,
    )


def of_check(check_id: str, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings of the paired judge as those of another check that is judged alike."""
    return [
        item.model_copy(
            update={
                "id": item.id.replace(CHECK_ID, check_id, 1),
                "evidence": item.evidence.replace(CHECK_ID, check_id, 1),
            }
        )
        for item in findings
    ]


def described_share(judgement: Judgement, limit: float, *, tells_detectable: bool) -> str:
    """Return the text for a share of failed requests."""
    detectable = judgement.detectable
    told = f"; {detectable:.2%} or more would have been shown to be too many"
    return (
        f"{judgement.observed:.2%} of the requests failed "
        f"(interval {judgement.lower:.2%} to {judgement.upper:.2%}), allowed are {limit:.2%}"
    ) + (told if tells_detectable and math.isfinite(detectable) else "")


def described_excess(
    judgement: Judgement, limit: float, *, candidate: float, reference: float, tells_detectable: bool
) -> str:
    """Return the text for the difference of two shares of failed requests."""
    detectable = judgement.detectable
    told = f"; {detectable:+.2%} or more would have been shown to be too many"
    return (
        f"{candidate:.2%} of the requests failed, of the reference's {reference:.2%}: "
        f"{judgement.observed:+.2%} (interval {judgement.lower:+.2%} to {judgement.upper:+.2%}), "
        f"allowed are {limit:+.2%}"
    ) + (told if tells_detectable and math.isfinite(detectable) else "")


def described_quantile(
    name: str,
    judgement: Judgement,
    slo_ms: float | None,
    *,
    service_ms: float,
    detectable_ms: float | None,
    powerful_ms: float = math.inf,
) -> str:
    """Return the text for a quantile of the response time, the service time beside it, and its limit, ms."""
    allowed = "no absolute limit is declared" if slo_ms is None else f"allowed are {_ms(slo_ms)}"
    told = "" if detectable_ms is None else _told_from(detectable_ms, powerful_ms, " ms", 2)
    return (
        f"{name} is {_ms(judgement.observed)} (interval {_ms(judgement.lower)} to {_ms(judgement.upper)}; "
        f"{_ms(service_ms)} from the actual send), {allowed}{told}"
    )


def described_ratio(
    name: str,
    judgement: Judgement,
    limit: float,
    *,
    candidate_ms: float,
    reference_ms: float,
    tells_detectable: bool,
    powerful: float = math.inf,
) -> str:
    """Return the text for the ratio of two quantiles, and what else this measurement could have shown."""
    told = ""
    if tells_detectable:
        told = _told_from(judgement.detectable, powerful, " times", 3)
        if 0 < judgement.upper < math.inf:
            told += f", and {judgement.upper:.3f} times would have been kept"
    return (
        f"{name} is {judgement.observed:.3f} times the reference's "
        f"({_ms(candidate_ms)} against {_ms(reference_ms)}; "
        f"interval {judgement.lower:.3f} to {judgement.upper:.3f}), allowed are {limit:.3f}{told}"
    )


def _told_from(critical: float, powerful: float, unit: str, digits: int) -> str:
    """Return in words what would have been rejected: what is measured, and what is so.

    Args:
        critical: `Judgement.detectable`.
        powerful: What would have been rejected with a probability of 80 %, inf where that is not known.
        unit: Of both, after the number.
        digits: After the point.
    """
    if math.isinf(critical):
        return "; no slowdown, however large, would have been rejected"
    told = f"; {critical:.{digits}f}{unit} or more would have been rejected (the critical value)"
    if math.isinf(powerful):
        return told
    return f"{told}, a candidate that is truly at {powerful:.{digits}f}{unit} in 80 % of such runs"


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
