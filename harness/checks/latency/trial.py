"""One trial of a rate: whether the limits are met, and the search for the highest rate that meets them."""

from collections.abc import Callable, Mapping

import numpy as np

from harness.load import Samples, measure_health
from harness.model import Model
from harness.stats.quantiles import quantile

MS = 1000.0
MOST_GROWTH = 0.05
"""A queue that grows by this share of the arrivals in half a trial is no fluctuation."""
FLUCTUATION = 3
"""Neither is one that grows by fewer requests than this growth at all."""


class Trial(Model):
    """What was seen at one rate.

    Attributes:
        rate_per_s: Arrivals a second.
        answered_per_s: Good answers a second, until the last one.
        times_ms: The quantiles that have a limit, by name; inf where they have no answer.
        failed: Share of failed requests.
        backlog: By how many requests the queue grew from the middle to the end, over the arrivals meanwhile.
        lag_p99_ms: How late the generator was.
        met: Whether all limits were met.
    """

    rate_per_s: float
    answered_per_s: float
    times_ms: dict[str, float]
    failed: float
    backlog: float
    lag_p99_ms: float
    met: bool


def try_rate(
    samples: Samples,
    rate_per_s: float,
    slo_ms: Mapping[str, tuple[float, float]],
    max_error_rate: float,
) -> Trial:
    """Return what one block of one side shows.

    Args:
        samples: Of the block.
        rate_per_s: At which it was sent.
        slo_ms: Probability and limit of each quantile that has one, by its name.
        max_error_rate: The largest share of failures.
    """
    times_ms = {name: quantile(MS * samples.response_s, p) for name, (p, _) in slo_ms.items()}
    failed = float(samples.failed.mean())
    grown, arrived = _grown(samples)
    backlog = grown / arrived
    queues = grown > FLUCTUATION and backlog > MOST_GROWTH
    slow = any(times_ms[name] > limit for name, (_, limit) in slo_ms.items())
    took_s = float(samples.done_s.max() - samples.intended_s.min())
    return Trial(
        rate_per_s=rate_per_s,
        answered_per_s=float(np.count_nonzero(~samples.failed)) / took_s,
        times_ms=times_ms,
        failed=failed,
        backlog=backlog,
        lag_p99_ms=measure_health(samples, steady_side=None).lag_p99_ms,
        met=not (queues or slow or failed > max_error_rate),
    )


def highest(rungs: int, meets: Callable[[int], bool]) -> int:
    """Return the highest rung that meets what lower ones meet too, by bisection; -1 if none does."""
    low, high = -1, rungs
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if meets(middle) else (low, middle)
    return low


def _grown(samples: Samples) -> tuple[int, int]:
    """Return by how many the requests in flight grew in the second half of the arrivals, and those."""
    end_s = samples.intended_s.max()
    middle_s = (samples.intended_s.min() + end_s) / 2.0

    def waiting(at_s: float) -> int:
        return int(np.count_nonzero((samples.intended_s <= at_s) & (samples.done_s > at_s)))

    arrived = int(np.count_nonzero(samples.intended_s > middle_s))
    return waiting(end_s) - waiting(middle_s), max(1, arrived)
