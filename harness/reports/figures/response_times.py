"""The response times of both sides as they were judged: distributions, and the quantiles that have limits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.validity import Doubt
from harness.checks.latency.view import View
from harness.checks.latency.warmup import warmup
from harness.stats.quantiles import Times, quantile

MOST_POINTS = 240
_BELIEVED = Doubt(why="", lag_ms=None)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The empirical distribution of one side's times.

    Attributes:
        points: Time in ms and the share of requests that took no longer, ascending; at most 240, and the
            judged quantiles, which are exact. Failed requests have no point: the curve ends below 1.
        requests: How many there were, ``failed`` how many of them failed.
    """

    points: tuple[tuple[float, float], ...]
    requests: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """One judged quantile; times in ms, infinite where the request at that place failed.

    Attributes:
        candidate_ms: As it is compared with ``reference_ms``, which is None without a reference.
        absolute_ms: As it is held against ``slo_ms``: of all requests, those of the warm-up among them.
        margin: Allowed excess over the reference, as a share.
    """

    name: str
    probability: float
    candidate_ms: float
    absolute_ms: float
    reference_ms: float | None
    margin: float
    slo_ms: float | None

    @property
    def apart_ms(self) -> float | None:
        """What the SLO judged, where that is not what the reference is compared with."""
        return None if self.slo_ms is None or self.absolute_ms == self.candidate_ms else self.absolute_ms

    @property
    def most_ms(self) -> float | None:
        """What the reference and the margin allow."""
        return None if self.reference_ms is None else self.reference_ms * (1.0 + self.margin)


@dataclass(frozen=True, kw_only=True)
class ResponseTimes:
    """What is drawn of one latency check.

    Attributes:
        left_out: Of so many blocks at the beginning nothing is compared, since a side still warmed up.
        set_aside: Share of the pairs that a tail's quantiles leave out, since the machine was slow for both.
    """

    candidate: Curve
    reference: Curve | None
    quantiles: tuple[Quantile, ...]
    left_out: int
    set_aside: float


def response_times(evidence: LatencyEvidence, limits: LatencyLimits) -> ResponseTimes:
    """The samples as they were judged: until the last look, without a warm-up or a failure of the reference.

    Raises:
        ValueError: no look was reached.
    """
    look = evidence.looks.latest(evidence.blocks)
    if look is None:
        raise ValueError(f"{evidence.blocks} blocks were sent, too few for a first verdict")
    view = View.of(evidence, limits, look, _BELIEVED)
    left_out = warmup(view)[0] if view.reference else 0
    settled = view.after(left_out)
    ours, theirs = settled.candidate.response_ms, None
    kept = np.ones(settled.samples, dtype=np.bool_)
    if settled.reference is not None:
        kept = ~settled.reference.failed if not np.all(settled.reference.failed) else settled.reference.failed
        ours, theirs = ours[kept], settled.reference.response_ms[kept]
    probabilities = [probability for probability, _ in limits.by_name.values()]
    aside = {probability: settled.set_aside(probability).pairs[kept] for probability in probabilities}
    return ResponseTimes(
        candidate=curve(ours, probabilities),
        reference=None if theirs is None else curve(theirs, probabilities),
        quantiles=tuple(
            Quantile(
                name=name,
                probability=probability,
                candidate_ms=quantile(ours[~aside[probability]], probability),
                absolute_ms=quantile(view.candidate.response_ms, probability),
                reference_ms=None if theirs is None else quantile(theirs[~aside[probability]], probability),
                margin=declared.margin,
                slo_ms=declared.slo_ms,
            )
            for name, (probability, declared) in limits.by_name.items()
        ),
        left_out=left_out,
        set_aside=max(float(pairs.mean()) for pairs in aside.values()),
    )


def curve(times_ms: Times, probabilities: Sequence[float]) -> Curve:
    """Pick the points to draw: evenly by the logarithm of how few are slower, and those of the quantiles.

    Args:
        times_ms: Shape (n,), n > 0; +inf for a failure.
        probabilities: Of the quantiles.
    """
    ordered = np.sort(times_ms)
    n, answered = ordered.size, int(np.isfinite(ordered).sum())
    spread = np.linspace(0.0, math.log10(2.0 * n), MOST_POINTS)
    ranks = np.clip(np.ceil(n * (1.0 - 10.0**-spread)).astype(np.intp), 1, n)
    shares = {int(rank): int(rank) / n for rank in ranks}
    # The quantile's own rank, as harness.stats.quantiles takes it, drawn at its own probability.
    shares |= {math.ceil(p * n - 1e-9): p for p in probabilities}
    return Curve(
        points=tuple(
            (float(ordered[rank - 1]), share) for rank, share in sorted(shares.items()) if rank <= answered
        ),
        requests=n,
        failed=n - answered,
    )
