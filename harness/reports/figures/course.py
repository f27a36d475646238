"""Response times from the beginning of a load to its end, moment by moment, and what they are believed by."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.load import Samples
from harness.load.samples import MS
from harness.stats.quantiles import quantile

MOST_MOMENTS = 48
USUAL, SLOW, LATE = 0.5, 0.95, 0.99


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One side in one moment, ms; infinite where so many failed, None without a request.

    Attributes:
        usual_ms: The median; ``slow_ms`` the 95th percentile.
    """

    usual_ms: float | None = None
    slow_ms: float | None = None
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A stretch of the load.

    Attributes:
        start_s: Since the first intended send; ``end_s`` likewise.
        late_ms: By how much 99 % of its requests were sent late at most, None without a request.
    """

    start_s: float
    end_s: float
    candidate: Seen
    reference: Seen
    late_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is drawn of one load.

    Attributes:
        band_ms: Where the reference's median of the last third has to lie, by that of its first third.
        compared: Whether there is a reference.
        most_late_ms: What the generator is allowed.
    """

    moments: tuple[Moment, ...]
    compared: bool
    band_ms: tuple[float, float] | None
    drift: float
    most_late_ms: float


def course(evidence: LatencyEvidence, limits: LatencyLimits) -> Course:
    """Cut all that was sent into at most 48 moments of equal length.

    Raises:
        ValueError: nothing was sent.
    """
    samples = evidence.samples
    if not samples.side.size:
        raise ValueError("no request was sent")
    began_s = float(samples.intended_s.min())
    lasted_s = max(float(samples.intended_s.max()) - began_s, 1e-9)
    count = min(MOST_MOMENTS, evidence.blocks)
    of_moment = np.minimum(((samples.intended_s - began_s) * (count / lasted_s)).astype(np.intp), count - 1)
    return Course(
        moments=tuple(
            _moment(samples, np.flatnonzero(of_moment == number), evidence, lasted_s / count, number)
            for number in range(count)
        ),
        compared=evidence.reference is not None,
        band_ms=_band_ms(evidence, limits),
        drift=limits.max_reference_drift,
        most_late_ms=limits.max_generator_lag_p99_ms,
    )


def _moment(
    samples: Samples, rows: NDArray[np.intp], evidence: LatencyEvidence, length_s: float, number: int
) -> Moment:
    return Moment(
        start_s=number * length_s,
        end_s=(number + 1) * length_s,
        candidate=_seen(samples, rows[samples.side[rows] == evidence.candidate]),
        reference=Seen()
        if evidence.reference is None
        else _seen(samples, rows[samples.side[rows] == evidence.reference]),
        late_ms=MS * quantile(samples.lag_s[rows], LATE) if rows.size else None,
    )


def _seen(samples: Samples, rows: NDArray[np.intp]) -> Seen:
    if not rows.size:
        return Seen()
    times_ms = MS * samples.response_s[rows]
    return Seen(
        usual_ms=quantile(times_ms, USUAL),
        slow_ms=quantile(times_ms, SLOW),
        failed=int(np.count_nonzero(samples.failed[rows])),
    )


def _band_ms(evidence: LatencyEvidence, limits: LatencyLimits) -> tuple[float, float] | None:
    """As `harness.load.measure_health` takes the drift: the change of the median between the thirds."""
    if evidence.reference is None:
        return None
    times_ms = MS * evidence.samples.response_s[evidence.samples.of_side(evidence.reference)]
    first_ms = quantile(times_ms[: max(1, times_ms.size // 3)], USUAL)
    if not math.isfinite(first_ms):
        return None
    drift = limits.max_reference_drift
    return first_ms * max(0.0, 1.0 - drift), first_ms * (1.0 + drift)
