"""Whether a latency measurement can be believed; if not, it shows next to nothing."""

from dataclasses import dataclass

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import finding
from harness.checks.latency.limits import LatencyLimits
from harness.load import measure_health
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
    sent, naps = evidence.samples.side.size, evidence.samples.heartbeat_s.size
    judged = [
        _bounded(
            "generator_lag",
            f"the load generator sent 99 % of the requests at most {health.lag_p99_ms:.2f} ms late",
            observed=health.lag_p99_ms,
            limit=limits.max_generator_lag_p99_ms,
            unit="ms",
            samples=sent,
        ),
        _bounded(
            "generator_hiccup",
            f"99 % of the load generator's naps ended at most {health.heartbeat_p99_ms:.2f} ms late",
            observed=health.heartbeat_p99_ms,
            limit=limits.max_generator_hiccup_p99_ms,
            unit="ms",
            samples=naps,
        ),
    ]
    if evidence.cpu_steal_share is not None:
        steal = _bounded(
            "cpu_steal",
            f"the machine's host gave {evidence.cpu_steal_share:.1%} of a core's time to others",
            observed=evidence.cpu_steal_share,
            limit=limits.max_cpu_steal,
            unit="share",
            samples=evidence.executed,
        )
        judged.append(steal)
    void = evidence.reference_failures > limits.max_reference_failures * evidence.executed
    if health.drift is not None and not void:
        drift = _bounded(
            "reference_drift",
            f"the reference's median changed by {health.drift:+.1%} from the first third to the last",
            observed=abs(health.drift),
            limit=limits.max_reference_drift,
            unit="share",
            samples=evidence.executed,
        )
        judged.append(drift)
    if evidence.generator_error:
        message = f"the load generator failed: {evidence.generator_error}"
        judged.append(finding("generator", Outcome.INCONCLUSIVE, message, samples=evidence.executed))
    return judged, Doubt(
        why="; ".join(item.message for item in judged if item.outcome is not Outcome.PASS),
        lag_ms=None if evidence.generator_error else max(health.lag_p99_ms, health.heartbeat_p99_ms),
    )


def _bounded(name: str, message: str, *, observed: float, limit: float, unit: str, samples: int) -> Finding:
    outcome = Outcome.PASS if observed <= limit else Outcome.INCONCLUSIVE
    return finding(name, outcome, message, samples=samples, observed=observed, limit=limit, unit=unit)
