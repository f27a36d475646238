"""Whether a latency measurement can be believed; if not, it decides nothing."""

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import finding
from harness.checks.latency.settings import LatencyLimits
from harness.load import LoadHealth, measure_health
from harness.model import Finding, Outcome


def judge_validity(evidence: LatencyEvidence, limits: LatencyLimits) -> tuple[list[Finding], str]:
    """Return findings about the measurement, and in words why it cannot be believed, empty if it can."""
    health = measure_health(evidence.samples, steady_side=0)
    judged = [_lag(evidence, health, limits)]
    if evidence.reference is not None and not evidence.reference_failures:
        judged.append(_drift(evidence, health, limits))
    if evidence.generator_error:
        message = f"the load generator failed: {evidence.generator_error}"
        judged.append(finding("generator", Outcome.INCONCLUSIVE, message, samples=evidence.executed))
    return judged, "; ".join(item.message for item in judged if item.outcome is not Outcome.PASS)


def _lag(evidence: LatencyEvidence, health: LoadHealth, limits: LatencyLimits) -> Finding:
    limit = limits.max_generator_lag_p99_ms
    return finding(
        "generator_lag",
        Outcome.PASS if health.lag_p99_ms <= limit else Outcome.INCONCLUSIVE,
        f"the load generator sent 99 % of the requests at most {health.lag_p99_ms:.2f} ms late",
        samples=evidence.samples.side.size,
        observed=health.lag_p99_ms,
        limit=limit,
        unit="ms",
    )


def _drift(evidence: LatencyEvidence, health: LoadHealth, limits: LatencyLimits) -> Finding:
    limit = limits.max_reference_drift
    return finding(
        "reference_drift",
        Outcome.PASS if abs(health.drift) <= limit else Outcome.INCONCLUSIVE,
        f"the reference's median changed by {health.drift:+.1%} from the first third to the last",
        samples=evidence.executed,
        observed=abs(health.drift),
        limit=limit,
        unit="share",
    )
