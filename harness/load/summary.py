"""Exact percentiles and failures of some requests, from raw samples and not from rounded buckets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.load.plan import LoadPlan
from harness.load.samples import MS, RequestOutcome, Samples
from harness.stats.quantiles import Times, quantile

PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What some requests took.

    Attributes:
        requests: How many there were.
        failures: Kind to number, only kinds that occurred.
        percentiles_ms: From the intended send to the last byte, by name as in `PERCENTILES`; inf where so
            many failed that the percentile is a failure.
        least_ms: The fastest answer, inf where there was none.
        most_ms: The slowest, inf where any request failed.
    """

    requests: int
    failures: dict[str, int]
    percentiles_ms: dict[str, float]
    least_ms: float
    most_ms: float


def summarise(response_s: Times, outcome: NDArray[np.int8]) -> Figures:
    """Return the figures.

    Args:
        response_s: Shape (n,), n > 0, +inf for a failure.
        outcome: Shape (n,), `RequestOutcome`.
    """
    kinds, counts = np.unique(outcome, return_counts=True)
    return Figures(
        requests=response_s.size,
        failures={
            RequestOutcome(kind).name.lower(): count
            for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True)
            if kind != RequestOutcome.OK
        },
        percentiles_ms={name: MS * quantile(response_s, share) for name, share in PERCENTILES.items()},
        least_ms=MS * float(response_s.min()),
        most_ms=MS * float(response_s.max()),
    )


def throughput_per_s(samples: Samples, rows: NDArray[np.intp] | slice = slice(None)) -> float:
    """Return good answers a second, from the first intended send to the last end of the chosen requests."""
    good = np.count_nonzero(~samples.failed[rows])
    return float(good / (samples.done_s[rows].max() - samples.intended_s[rows].min()))


def request_name(plan: LoadPlan, side: int, payload: int) -> str:
    """Return what the requests of one payload to one side are called."""
    path = plan.payloads[payload].path
    return f"{plan.sides[side].name} {path}" if len(plan.sides) > 1 else path


def by_name(
    plan: LoadPlan, side: NDArray[np.int8], payload: NDArray[np.int32]
) -> Sequence[tuple[tuple[str, str], NDArray[np.intp]]]:
    """Return (method, name) and rows of the requests of each name, payloads of one path together."""
    labels = [
        [(each.method, request_name(plan, number, index)) for index, each in enumerate(plan.payloads)]
        for number in range(len(plan.sides))
    ]
    distinct = sorted({label for row in labels for label in row})
    numbers = np.array([[distinct.index(label) for label in row] for row in labels])
    of_row = numbers[side, payload]
    found = ((label, np.flatnonzero(of_row == number)) for number, label in enumerate(distinct))
    return [(label, rows) for label, rows in found if rows.size]
