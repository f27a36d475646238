"""``[latency]``: which load is sent."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from harness.checks.latency.limits import LatencyLimits, Positive, least_pairs, probability_of
from harness.checks.latency.loads import (
    SLO_BLOCKS,
    SOAK_BLOCKS,
    BurstSettings,
    CapacitySettings,
    SloSettings,
    SoakSettings,
)
from harness.checks.latency.usage_settings import ManifestPromises
from harness.checks.telemetry.settings import MetricName
from harness.config.section import FamilySettings, Section
from harness.config.service import UrlPath
from harness.http_request import RequestTemplate
from harness.load.plan import Arrival
from harness.stats.groups import LEAST_GROUPS
from harness.stats.quantiles import least_samples
from harness.stats.shift import least_values

LEAST_BLOCK_ARRIVALS = 20
"""Fewer do not tell a block's median from its noise."""
LEAST_SOAK_ARRIVALS = 60
"""In one block: a p95 of fewer is a maximum."""
MOST_SNAPSHOTS = 200
"""Of either side; each is a file of up to a mebibyte."""


def _merged(said: Mapping[str, Any], otherwise: Mapping[str, Any]) -> dict[str, Any]:
    """Put what is said otherwise in the place of what is said, in tables key by key."""
    return {
        **said,
        **{
            key: _merged(said.get(key) or {}, value) if isinstance(value, dict) else value
            for key, value in otherwise.items()
        },
    }


class MixedRequest(Section):
    """``[[latency.mix]]``: one endpoint of several.

    Attributes:
        name: Names it in the report.
        weight: Its share of the requests, in proportion to the other weights.
        request: As `LatencySettings.request`.
        expected_status: Any other status is a failure.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    weight: Positive = 1.0
    request: RequestTemplate | None = None
    expected_status: Annotated[int, Field(ge=100, le=599)] = 200


class MetricsSettings(Section):
    """``[latency.metrics]``: snapshots of what both services expose, kept as evidence; they decide nothing.

    Attributes:
        path: Where they expose it in the Prometheus text format.
        credential: A name under ``[auth.credentials]`` for that; None sends none.
        interval_s: Between snapshots; one is taken before the first block and one after the last besides.
        counters: Those whose rise at both sides is reported, by name as exposed; all their series added up.
    """

    path: UrlPath
    credential: str | None = None
    interval_s: Annotated[float, Field(gt=0)] = 60.0
    counters: tuple[MetricName, ...] = ()


class LatencyKeys(FamilySettings):
    """What ``[latency]`` says, and ``[latency.gpu]`` may say otherwise.

    Attributes:
        request: What is asked, with ``${input}`` of the golden cases in turn; left out, the golden set's own
            single request.
        expected_status: Any other status is a failure.
        mix: Several endpoints in the place of the one request, drawn by weight.
        rate_per_s: Arrivals a second at each side, whatever the answers take (open loop).
        arrival: How they are spaced.
        budget_s: Time under load at most; less where the verdict is clear before.
        block_s: The load is cut into blocks of this length.
        warmup_requests: Requests to each side that are not counted.
        timeout_s: A request without a whole answer after this time has failed.
        connections: To each side.
        metrics: Snapshots of what both expose; None takes none.
        manifest: Where the candidate's manifest promises latency and memory; None compares none.
        burst: Many requests at once, see `harness.checks.latency.burst`; None asks none.
        slo: The rate of production, see `harness.checks.latency.slo`; likewise.
        soak: A long load, see `harness.checks.latency.soak`; likewise.
        capacity: The highest rate that meets the limits, see `harness.checks.latency.capacity`; likewise.
    """

    request: RequestTemplate | None = None
    expected_status: Annotated[int, Field(ge=100, le=599)] = 200
    mix: tuple[MixedRequest, ...] = ()
    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 100.0
    arrival: Arrival = Arrival.POISSON
    budget_s: Annotated[float, Field(gt=0, le=86_400)] = 30.0
    block_s: Annotated[float, Field(gt=0, le=600)] = 1.0
    warmup_requests: Annotated[int, Field(ge=0)] = 100
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    connections: Annotated[int, Field(ge=1, le=4096)] = 64
    metrics: MetricsSettings | None = None
    manifest: ManifestPromises | None = None
    burst: BurstSettings | None = None
    slo: SloSettings | None = None
    soak: SoakSettings | None = None
    capacity: CapacitySettings | None = None
    limits: LatencyLimits = LatencyLimits()


class LatencySettings(LatencyKeys):
    """``[latency]``.

    Attributes:
        gpu: With ``--device gpu`` its keys take the place of those of ``[latency]``, its limits one by one.
    """

    gpu: LatencyKeys | None = None

    def on(self, device: Literal["cpu", "gpu"]) -> Self:
        """What holds on a device; ``gpu`` is None in it."""
        said = self.model_dump(exclude_unset=True, exclude={"gpu"})
        if device == "gpu" and self.gpu is not None:
            otherwise = self.gpu.model_dump(exclude_unset=True)
            limits = _merged(said.get("limits", {}), otherwise.get("limits", {}))
            said |= otherwise | {"limits": limits}
        return self.model_validate(said)

    def not_declared(self) -> tuple[str, ...]:
        """What is not asked, or has no limit; the long loads (soak, capacity) are a suite's choice."""
        memory = self.limits.memory
        slos_ms = [each.slo_ms for _, each in self.limits.by_name.values() if each.slo_ms is not None]
        aspects = {
            "latency.paired: the most CPU time of a request (limits.cpu.max_ms)": self.limits.cpu.max_ms,
            "latency.paired: the most memory (limits.memory)": memory.max_mib or memory.margin,
            "latency.paired: what the manifest promises (manifest)": self.manifest,
            "latency.paired: the most of any response time (limits.p50.slo_ms and others)": slos_ms or None,
            "latency.paired: failures against the reference's (limits.error_rate_margin)": (
                self.limits.error_rate_margin
            ),
            "latency.paired: what both expose of themselves (metrics)": self.metrics,
            "latency.burst: requests that come at once (burst)": self.burst,
            "latency.slo: the rate of production (slo)": self.slo,
        }
        return tuple(aspect for aspect, declared in aspects.items() if declared is None)

    @property
    def asked(self) -> tuple[MixedRequest, ...]:
        """The endpoints that are asked, be it one."""
        one = MixedRequest(name="request", request=self.request, expected_status=self.expected_status)
        return self.mix or (one,)

    @property
    def checks(self) -> int:
        """How many latency checks are declared, `latency.paired` always."""
        return 1 + sum(each is not None for each in (self.burst, self.slo, self.soak, self.capacity))

    @property
    def least_repeats(self) -> int:
        """With fewer, `latency.capacity` can never reject."""
        return least_values(self.limits.capacity_spending(self.checks).beyond)

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
        if self.blocks < LEAST_GROUPS:
            raise ValueError(f"budget_s must hold at least {LEAST_GROUPS} blocks of block_s")
        if self.block_arrivals < LEAST_BLOCK_ARRIVALS:
            raise ValueError(f"block_s must hold at least {LEAST_BLOCK_ARRIVALS} arrivals at rate_per_s")
        if self.metrics is not None and self.budget_s / self.metrics.interval_s > MOST_SNAPSHOTS:
            raise ValueError(f"budget_s may hold at most {MOST_SNAPSHOTS} times metrics.interval_s")
        return self

    @model_validator(mode="after")
    def _enough_for_the_quantiles(self) -> Self:
        arrivals = self.blocks * self.block_arrivals
        for name in self.limits.quantiles:
            if arrivals < (least := least_pairs(probability_of(name))):
                raise ValueError(
                    f"limits.quantiles.{name} takes {least:,} requests to each side, "
                    f"and budget_s times rate_per_s is {arrivals:,}: raise them, or leave it out"
                )
        return self

    @model_validator(mode="after")
    def _one_mix(self) -> Self:
        if self.mix and {"request", "expected_status"} & self.model_fields_set:
            raise ValueError("mix takes the place of request and expected_status: declare either")
        if len({asked.name for asked in self.mix}) < len(self.mix):
            raise ValueError("each entry of mix needs a name of its own")
        return self

    @model_validator(mode="after")
    def _enough_for_the_slo(self) -> Self:
        declared = [p for p, limits in self.limits.by_name.values() if limits.slo_ms is not None]
        for name in ("slo", "capacity"):
            if getattr(self, name) is not None and not declared:
                raise ValueError(f"{name} takes a slo_ms of at least one quantile in limits")
        least = least_samples(max(declared, default=0.5), self.limits.confidence)
        if self.slo is not None and self.slo.block_arrivals * SLO_BLOCKS < least:
            raise ValueError(f"slo takes {least} requests for the highest slo_ms: raise slo.budget_s")
        if self.capacity is not None and self.capacity.repeats < self.least_repeats:
            raise ValueError(
                f"capacity.repeats must be at least {self.least_repeats}: fewer never reject at this "
                "limits.confidence, divided among limits, latency checks and devices"
            )
        if self.soak is not None and self.soak.block_arrivals < LEAST_SOAK_ARRIVALS:
            raise ValueError(f"soak.duration_s must hold {SOAK_BLOCKS * LEAST_SOAK_ARRIVALS} arrivals")
        return self

    @model_validator(mode="after")
    def _sound_on_a_gpu(self) -> Self:
        if self.gpu is not None:
            try:
                self.on("gpu")
            except ValidationError as error:
                problems = (problem["msg"].removeprefix("Value error, ") for problem in error.errors())
                raise ValueError(f"gpu, with the rest of this section: {'; '.join(problems)}") from error
        return self
