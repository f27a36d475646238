"""``[latency]``: which load is sent, and which latencies, compared or absolute, are allowed."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.config.section import FamilySettings, Limits, Section
from harness.http_request import RequestTemplate
from harness.load.plan import Arrival
from harness.stats.groups import GROUPS

LEAST_BLOCK_ARRIVALS = 20
"""Fewer do not tell a block's median from its noise."""
Positive = Annotated[float, Field(gt=0)]


class QuantileLimits(Section):
    """What one quantile of the response time may be.

    Attributes:
        slo_ms: Absolute limit; None declares none.
        margin: Largest excess over the reference, as a share: 0.10 allows 1.10 times.
    """

    slo_ms: Positive | None = None
    margin: Annotated[float, Field(gt=0, le=10)] = 0.10


class TailLimits(QuantileLimits):
    """What p99 may be; it takes more samples, so the default margin is wider."""

    margin: Annotated[float, Field(gt=0, le=10)] = 0.25


class LatencyLimits(Limits):
    """``[latency.limits]``.

    Attributes:
        confidence: All limits must be shown to hold at this level; a reject as well is shown at it.
        max_error_rate: Largest share of failed requests, shown by an exact bound.
        max_generator_lag_p99_ms: A generator that sends later than this measures itself.
        max_reference_drift: Largest change of the reference's median from the first third to the last.
    """

    p50: QuantileLimits = QuantileLimits()
    p95: QuantileLimits = QuantileLimits()
    p99: TailLimits = TailLimits()
    confidence: Annotated[float, Field(ge=0.8, lt=1)] = 0.95
    max_error_rate: Annotated[float, Field(gt=0, lt=1)] = 0.01
    max_generator_lag_p99_ms: Positive = 10.0
    max_reference_drift: Positive = 0.5

    @property
    def quantiles(self) -> dict[str, tuple[float, QuantileLimits]]:
        """Name, probability and limits of each quantile."""
        return {"p50": (0.50, self.p50), "p95": (0.95, self.p95), "p99": (0.99, self.p99)}


class LatencySettings(FamilySettings):
    """``[latency]``.

    Attributes:
        request: What is asked, with ``${input}`` of the golden cases in turn; left out, the golden set's own
            single request.
        expected_status: Any other status is a failure.
        rate_per_s: Arrivals a second at each side, whatever the answers take (open loop).
        arrival: How they are spaced.
        budget_s: Time under load at most; less where the verdict is clear before.
        block_s: The load is cut into blocks of this length.
        warmup_requests: Requests to each side that are not counted.
        timeout_s: A request without a whole answer after this time has failed.
        connections: To each side.
    """

    request: RequestTemplate | None = None
    expected_status: Annotated[int, Field(ge=100, le=599)] = 200
    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 100.0
    arrival: Arrival = Arrival.POISSON
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    block_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    warmup_requests: Annotated[int, Field(ge=0)] = 100
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    connections: Annotated[int, Field(ge=1, le=4096)] = 64
    limits: LatencyLimits = LatencyLimits()

    @property
    def blocks(self) -> int:
        """Number of blocks at most."""
        return int(self.budget_s / self.block_s + 1e-9)

    @property
    def block_arrivals(self) -> int:
        """Arrivals at each side in one block."""
        return round(self.rate_per_s * self.block_s)

    @model_validator(mode="after")
    def _enough_blocks(self) -> Self:
        if self.blocks < GROUPS:
            raise ValueError(f"budget_s must hold at least {GROUPS} blocks of block_s")
        if self.block_arrivals < LEAST_BLOCK_ARRIVALS:
            raise ValueError(f"block_s must hold at least {LEAST_BLOCK_ARRIVALS} arrivals at rate_per_s")
        return self
