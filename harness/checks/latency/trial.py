"""One trial of a rate: whether the limits are met, and the search for the highest rate that meets them."""

from collections.abc import Callable, Mapping
from math import sqrt

import numpy as np

from harness.load import Samples, measure_health
from harness.load.samples import MS
from harness.model import Model
from harness.stats.quantiles import quantile

MOST_GROWTH = 0.05
"""A queue that grows by this share of the arrivals in half a trial is no fluctuation."""
FLUCTUATION = 3
"""Nor is one by so many requests, or by so many deviations of Poisson counts of requests in flight."""


class Trial(Model):
    """What was seen at one rate.

    Attributes:
        rate_per_s: Arrivals a second.
        answered_per_s: Good answers a second, until the last one.
        times_ms: The quantiles that have a limit, by name; inf where they have no answer.
        failed: Share of failed requests.
        backlog: By how many requests the queue grew from the middle to the end, over the arrivals meanwhile.
        lag_p99_ms: How late the generator was; ``heartbeat_p99_ms`` how late its naps ended.
        steal_share: What its host gave to others of the machine's CPU time meanwhile; None where not known.
        met: Whether all limits were met.
    """

    rate_per_s: float
    answered_per_s: float
    times_ms: dict[str, float]
    failed: float
    backlog: float
    lag_p99_ms: float
    heartbeat_p99_ms: float = 0.0
    steal_share: float | None = None
    met: bool


def try_rate(
    samples: Samples,
    rate_per_s: float,
    slo_ms: Mapping[str, tuple[float, float]],
    max_error_rate: float,
    steal_share: float | None = None,
) -> Trial:
    """Return what one block of one side shows.

    Args:
        samples: Of the block.
        rate_per_s: At which it was sent.
        slo_ms: Probability and limit of each quantile that has one, by its name.
        max_error_rate: The largest share of failures.
        steal_share: See `Trial`.
    """
    health = measure_health(samples, steady_side=None)
    times_ms = {name: quantile(MS * samples.response_s, p) for name, (p, _) in slo_ms.items()}
    failed = float(samples.failed.mean())
    middle, end, arrived = _in_flight(samples)
    backlog = (end - middle) / arrived
    queues = end - middle > FLUCTUATION * max(1.0, sqrt(middle + end)) and backlog > MOST_GROWTH
    slow = any(times_ms[name] > limit for name, (_, limit) in slo_ms.items())
    took_s = float(samples.done_s.max() - samples.intended_s.min())
    return Trial(
        rate_per_s=rate_per_s,
        answered_per_s=float(np.count_nonzero(~samples.failed)) / took_s,
        times_ms=times_ms,
        failed=failed,
        backlog=backlog,
        lag_p99_ms=health.lag_p99_ms,
        heartbeat_p99_ms=health.heartbeat_p99_ms,
        steal_share=steal_share,
        met=not (queues or slow or failed > max_error_rate),
    )


def highest(rungs: int, meets: Callable[[int], bool]) -> int:
    """Return the highest rung that meets what lower ones meet too, by bisection; -1 if none does."""
    low, high = -1, rungs
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if meets(middle) else (low, middle)
    return low


def _in_flight(samples: Samples) -> tuple[int, int, int]:
    """Return the requests in flight in the middle and at the end, and the arrivals between."""
    end_s = samples.intended_s.max()
    middle_s = (samples.intended_s.min() + end_s) / 2.0

    def waiting(at_s: float) -> int:
        return int(np.count_nonzero((samples.intended_s <= at_s) & (samples.done_s > at_s)))

    arrived = int(np.count_nonzero(samples.intended_s > middle_s))
    return waiting(middle_s), waiting(end_s), max(1, arrived)
