"""``[latency.limits]``: which latencies, compared or absolute, are allowed."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from harness.checks.latency.usage_settings import CpuLimits, MemoryLimits
from harness.config.section import Limits, Section
from harness.stats.judgement import Spending

LEAST_BEYOND = 10
"""A comparison of quantiles takes this many samples of each side beyond them: 1,000 samples for p99."""
Positive = Annotated[float, Field(gt=0)]
Margin = Annotated[float, Field(gt=0, le=10)]


def probability_of(name: str) -> float:
    """Return the probability that the name of a quantile stands for: 0.999 for ``p99.9``.

    Raises:
        ValueError: It is not "p" and a number between 0 and 100.
    """
    match = re.fullmatch(r"p(\d{1,2}(?:\.\d{1,4})?)", name)
    percent = 0.0 if match is None else float(match[1])
    if not percent:
        raise ValueError(
            f'{name!r} is not the name of a quantile: "p" and a number between 0 and 100 (p99.9)'
        )
    return round(percent / 100.0, 8)


def _is_quantile(name: str) -> str:
    probability_of(name)
    return name


def least_pairs(probability: float) -> int:
    """Return how many samples of each side a comparison of their quantiles takes."""
    return round(LEAST_BEYOND / (1.0 - probability))


QuantileName = Annotated[str, AfterValidator(_is_quantile)]


class QuantileLimits(Section):
    """What one quantile of the response time may be.

    Attributes:
        slo_ms: Absolute limit; None declares none.
        margin: Largest excess over the reference, as a share: 0.10 allows 1.10 times.
    """

    slo_ms: Positive | None = None
    margin: Margin = 0.10


class TailLimits(QuantileLimits):
    """What p99 may be; it takes more samples, so the default margin is wider."""

    margin: Margin = 0.50


class FurtherLimits(QuantileLimits):
    """What a further quantile may be: how wide its margin has to be, only its suite can know."""

    margin: Margin


class WithinBurst(QuantileLimits):
    """What a quantile of the times within bursts may be; a burst is few independent samples."""

    margin: Margin = 0.25


class BurstLimits(Section):
    """``[latency.limits.burst]``; a p99 within bursts would take too many of them."""

    p50: WithinBurst = WithinBurst()
    p95: WithinBurst = WithinBurst()


class SoakLimits(Section):
    """``[latency.limits.soak]``.

    Attributes:
        max_slowdown: Largest growth of a quantile from the beginning to the end, as a share.
        max_growth_kib: Largest growth of the memory in 1,000 requests, KiB.
    """

    max_slowdown: Margin = 0.25
    max_growth_kib: Positive = 256.0


class CapacityLimits(Section):
    """``[latency.limits.capacity]``.

    Attributes:
        min_per_s: Least rate that meets the limits; None declares none.
        margin: Largest shortfall against the reference's, as a share.
    """

    min_per_s: Positive | None = None
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.15


class LatencyLimits(Limits):
    """``[latency.limits]``.

    Attributes:
        quantiles: Further ones by name (``p99.9``), judged like the three above.
        burst: What `latency.burst` judges by in their place.
        cpu: CPU time of an answered request.
        memory: The most that the service holds.
        min_throughput: Answers a second that `latency.slo` has to see, as a share of the arrivals.
        soak: What `latency.soak` judges by besides.
        promises: What becomes of a promise of the manifest that is not kept.
        capacity: What `latency.capacity` judges by.
        devices: On how many devices one release is gated; the error of a reject is divided among them too.
        confidence: All limits must be shown to hold at this level; a reject as well is shown at it.
        max_error_rate: Largest share of failed requests, shown by an exact bound.
        error_rate_margin: By how much the share of failures may exceed the reference's; None declares none.
        max_reference_failures: Up to this share, pairs whose reference failed are left out where times are
            compared; a larger one voids that.
        max_warmup_share: So many of the first blocks may be left out while a side still warms up.
        max_set_aside: Up to this share, pairs in which the machine was slow for both sides are set aside
            where times are compared; 0 sets none aside.
        max_generator_lag_p99_ms: A generator that sends later than this measures itself.
        max_generator_hiccup_p99_ms: A generator that wakes later than this reads answers late.
        max_cpu_steal: Largest share of a core's time that the machine's host may have given to others.
        max_reference_drift: Largest change of the reference's median from the first third to the last.
    """

    p50: QuantileLimits = QuantileLimits()
    p95: QuantileLimits = QuantileLimits()
    p99: TailLimits = TailLimits()
    quantiles: dict[QuantileName, FurtherLimits] = {}
    burst: BurstLimits = BurstLimits()
    cpu: CpuLimits = CpuLimits()
    memory: MemoryLimits = MemoryLimits()
    min_throughput: Annotated[float, Field(gt=0, lt=1)] = 0.95
    soak: SoakLimits = SoakLimits()
    promises: Literal["warn", "fail"] = "warn"
    capacity: CapacityLimits = CapacityLimits()
    devices: Annotated[int, Field(ge=1, le=100)] = 1
    confidence: Annotated[float, Field(ge=0.8, lt=1)] = 0.95
    max_error_rate: Annotated[float, Field(gt=0, lt=1)] = 0.01
    error_rate_margin: Annotated[float, Field(gt=0, lt=1)] | None = None
    max_reference_failures: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    max_warmup_share: Annotated[float, Field(ge=0, le=0.5)] = 0.2
    max_set_aside: Annotated[float, Field(ge=0, le=0.5)] = 0.25
    max_generator_lag_p99_ms: Positive = 10.0
    max_generator_hiccup_p99_ms: Positive = 20.0
    max_cpu_steal: Annotated[float, Field(gt=0, le=1)] = 0.1
    max_reference_drift: Positive = 0.5

    def share_of_reject(self, alpha: float, checks: int) -> float:
        """Return what one of several latency checks, on one device, may spend of an error on rejects."""
        return alpha / (checks * self.devices)

    def capacity_spending(self, checks: int) -> Spending:
        """Return the errors of each limit of `latency.capacity`, one of several latency checks."""
        alpha = 1.0 - self.confidence
        limits = 1 + (self.capacity.min_per_s is not None)
        return Spending(within=alpha, beyond=self.share_of_reject(alpha, checks) / limits)

    @property
    def by_name(self) -> dict[str, tuple[float, QuantileLimits]]:
        """Name, probability and limits of each quantile, from the lowest to the highest."""
        declared = {"p50": self.p50, "p95": self.p95, "p99": self.p99, **self.quantiles}
        named = {name: (probability_of(name), limits) for name, limits in declared.items()}
        return dict(sorted(named.items(), key=lambda item: item[1][0]))

    @property
    def within_bursts(self) -> "LimitsWithinBursts":
        """The same, but for the quantiles, and without memory, which is judged beside single requests.

        Of a burst the last are slow at both sides, for no fault of the machine: none is set aside.
        """
        # They are validated already, and not as a whole: the three keys of single requests are not judged.
        kept = {name: getattr(self, name) for name in LatencyLimits.model_fields}
        changed = {"memory": MemoryLimits(), "max_set_aside": 0.0}
        return LimitsWithinBursts.model_construct(**{**kept, **changed})

    @model_validator(mode="after")
    def _distinct_quantiles(self) -> Self:
        probabilities = [probability for probability, _ in self.by_name.values()]
        if len(self.by_name) < 3 + len(self.quantiles) or len(set(probabilities)) < len(probabilities):
            raise ValueError(
                "quantiles names one twice, or one of p50, p95 and p99, which have keys of their own"
            )
        return self


class LimitsWithinBursts(LatencyLimits):
    """`LatencyLimits` with none but the quantiles of bursts."""

    @property
    def by_name(self) -> dict[str, tuple[float, QuantileLimits]]:
        """As of the base."""
        return {"p50": (0.50, self.burst.p50), "p95": (0.95, self.burst.p95)}
