"""Whether a latency measurement can be believed; if not, it shows next to nothing."""

from dataclasses import dataclass

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import finding
from harness.checks.latency.limits import LatencyLimits
from harness.load import LoadHealth, measure_health
from harness.model import Finding, Outcome


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Why a measurement cannot be believed, and how far.

    Attributes:
        why: In words, empty if it can be believed.
        lag_ms: The most that the generator added to a time, but for one request in a hundred: it was as late
            with sending as with reading answers. None if it failed, and may have done anything.
    """

    why: str
    lag_ms: float | None


def judge_validity(evidence: LatencyEvidence, limits: LatencyLimits) -> tuple[list[Finding], Doubt]:
    """Return findings about the measurement, and the doubt that they leave."""
    health = measure_health(evidence.samples, steady_side=evidence.reference)
    judged = [_lag(evidence, health, limits), _hiccup(evidence, health, limits), *_steal(evidence, limits)]
    void = evidence.reference_failures > limits.max_reference_failures * evidence.executed
    if health.drift is not None and not void:
        judged.append(_drift(evidence, health.drift, limits))
    if evidence.generator_error:
        message = f"the load generator failed: {evidence.generator_error}"
        judged.append(finding("generator", Outcome.INCONCLUSIVE, message, samples=evidence.executed))
    return judged, Doubt(
        why="; ".join(item.message for item in judged if item.outcome is not Outcome.PASS),
        lag_ms=None if evidence.generator_error else max(health.lag_p99_ms, health.heartbeat_p99_ms),
    )


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


def _hiccup(evidence: LatencyEvidence, health: LoadHealth, limits: LatencyLimits) -> Finding:
    limit = limits.max_generator_hiccup_p99_ms
    return finding(
        "generator_hiccup",
        Outcome.PASS if health.heartbeat_p99_ms <= limit else Outcome.INCONCLUSIVE,
        f"99 % of the load generator's naps ended at most {health.heartbeat_p99_ms:.2f} ms late",
        samples=evidence.samples.heartbeat_s.size,
        observed=health.heartbeat_p99_ms,
        limit=limit,
        unit="ms",
    )


def _steal(evidence: LatencyEvidence, limits: LatencyLimits) -> list[Finding]:
    share, limit = evidence.cpu_steal_share, limits.max_cpu_steal
    if share is None:
        return []
    steal = finding(
        "cpu_steal",
        Outcome.PASS if share <= limit else Outcome.INCONCLUSIVE,
        f"the machine's host gave {share:.1%} of a core's time to others",
        samples=evidence.executed,
        observed=share,
        limit=limit,
        unit="share",
    )
    return [steal]


def _drift(evidence: LatencyEvidence, drift: float, limits: LatencyLimits) -> Finding:
    limit = limits.max_reference_drift
    return finding(
        "reference_drift",
        Outcome.PASS if abs(drift) <= limit else Outcome.INCONCLUSIVE,
        f"the reference's median changed by {drift:+.1%} from the first third to the last",
        samples=evidence.executed,
        observed=abs(drift),
        limit=limit,
        unit="share",
    )
