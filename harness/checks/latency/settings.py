"""``[latency]``: which load is sent, and which latencies, compared or absolute, are allowed."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from harness.checks.latency.usage_settings import CpuLimits, ManifestPromises, MemoryLimits
from harness.checks.telemetry.settings import MetricName
from harness.config.section import FamilySettings, Limits, Section
from harness.config.service import UrlPath
from harness.http_request import RequestTemplate
from harness.load.plan import Arrival
from harness.stats.groups import LEAST_GROUPS
from harness.stats.quantiles import least_samples

LEAST_BLOCK_ARRIVALS = 20
"""Fewer do not tell a block's median from its noise."""
LEAST_BEYOND = 10
"""A comparison of quantiles takes this many samples of each side beyond them: 1,000 samples for p99."""
SLO_BLOCKS = 12
SOAK_BLOCKS = 60
LEAST_TRIAL = 20
"""Arrivals: fewer have no p95."""
LEAST_SOAK_ARRIVALS = 60
"""In one block: a p95 of fewer is a maximum."""
BURST_BLOCKS = 40
"""Bursts are cut into about so many blocks, several for each group."""
MOST_SNAPSHOTS = 200
"""Of either side; each is a file of up to a mebibyte."""
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


def _merged(said: Mapping[str, Any], otherwise: Mapping[str, Any]) -> dict[str, Any]:
    """Put what is said otherwise in the place of what is said, in tables key by key."""
    return {
        **said,
        **{
            key: _merged(said.get(key) or {}, value) if isinstance(value, dict) else value
            for key, value in otherwise.items()
        },
    }


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
        max_generator_lag_p99_ms: A generator that sends later than this measures itself.
        max_generator_hiccup_p99_ms: A generator that wakes later than this reads answers late.
        max_cpu_steal: Largest share of the machine's CPU time that its host may have given to others.
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
    max_generator_lag_p99_ms: Positive = 10.0
    max_generator_hiccup_p99_ms: Positive = 20.0
    max_cpu_steal: Annotated[float, Field(gt=0, le=1)] = 0.1
    max_reference_drift: Positive = 0.5

    @property
    def by_name(self) -> dict[str, tuple[float, QuantileLimits]]:
        """Name, probability and limits of each quantile, from the lowest to the highest."""
        declared = {"p50": self.p50, "p95": self.p95, "p99": self.p99, **self.quantiles}
        named = {name: (probability_of(name), limits) for name, limits in declared.items()}
        return dict(sorted(named.items(), key=lambda item: item[1][0]))

    @property
    def within_bursts(self) -> "LimitsWithinBursts":
        """The same, but for the quantiles."""
        # They are validated already, and not as a whole: the three keys of single requests are not judged.
        kept = {name: getattr(self, name) for name in LatencyLimits.model_fields}
        return LimitsWithinBursts.model_construct(**kept)

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


class BurstSettings(Section):
    """``[latency.burst]``: requests that come at once.

    Attributes:
        size: So many at once, to one side, and then as many to the other.
        bursts_per_s: To each side.
        budget_s: Time under load at most; less where the verdict is clear before.
    """

    size: Annotated[int, Field(ge=2, le=256)] = 16
    bursts_per_s: Annotated[float, Field(gt=0, le=100)] = 4.0
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 10.0

    @property
    def block_bursts(self) -> int:
        """Bursts at each side in one block: between two blocks the generator rests."""
        return max(1, self._bursts // BURST_BLOCKS)

    @property
    def blocks(self) -> int:
        """Number of blocks at most."""
        return self._bursts // self.block_bursts

    @property
    def _bursts(self) -> int:
        return int(self.bursts_per_s * self.budget_s + 1e-9)

    @model_validator(mode="after")
    def _enough_bursts(self) -> Self:
        if self.blocks < LEAST_GROUPS:
            raise ValueError(f"budget_s must hold at least {LEAST_GROUPS} bursts")
        if (samples := self.size * self._bursts) < (least := least_pairs(0.95)):
            raise ValueError(f"p95 takes {least} requests in bursts, and budget_s holds {samples}")
        return self


class SloSettings(Section):
    """``[latency.slo]``: the rate of production.

    Attributes:
        rate_per_s: Arrivals a second.
        budget_s: Time under load at most; less where the verdict is clear before.
    """

    rate_per_s: Annotated[float, Field(gt=0, le=10_000)]
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 10.0

    @property
    def block_arrivals(self) -> int:
        """Arrivals in one block."""
        return round(self.rate_per_s * self.budget_s / SLO_BLOCKS)


class CapacitySettings(Section):
    """``[latency.capacity]``: the search for the highest rate that still meets the limits.

    Attributes:
        least_per_s: The lowest rate that is tried.
        most_per_s: The highest, at most.
        step: The ratio of two neighbouring rates.
        trial_s: How long each is tried.
        repeats: So often each side is searched, in alternation.
        budget_s: No repeat begins after this time.
    """

    least_per_s: Annotated[float, Field(gt=0)]
    most_per_s: Annotated[float, Field(gt=0, le=10_000)]
    step: Annotated[float, Field(ge=1.01, le=2)] = 1.1
    trial_s: Annotated[float, Field(ge=0.5, le=60)] = 2.0
    repeats: Annotated[int, Field(ge=6, le=100)] = 8
    budget_s: Annotated[float, Field(gt=0, le=86_400)] = 300.0

    @property
    def ladder(self) -> tuple[float, ...]:
        """The rates, as factors on the lowest."""
        rungs = int(math.log(self.most_per_s / self.least_per_s) / math.log(self.step) + 1e-9) + 1
        return tuple(self.step**rung for rung in range(rungs))

    @model_validator(mode="after")
    def _a_ladder(self) -> Self:
        if self.most_per_s < self.least_per_s * self.step:
            raise ValueError("most_per_s must be at least a step above least_per_s")
        if self.least_per_s * self.trial_s < LEAST_TRIAL:
            raise ValueError(f"trial_s must hold at least {LEAST_TRIAL} arrivals at least_per_s")
        return self


class SoakSettings(Section):
    """``[latency.soak]``: a long load.

    Attributes:
        rate_per_s: Arrivals a second.
        duration_s: For so long, whatever is seen meanwhile.
    """

    rate_per_s: Annotated[float, Field(gt=0, le=10_000)]
    duration_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0

    @property
    def block_arrivals(self) -> int:
        """Arrivals in one block."""
        return round(self.rate_per_s * self.duration_s / SOAK_BLOCKS)


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
        """What the candidate may use, where no limit says so."""
        memory = self.limits.memory
        aspects = {
            "latency.paired: the most CPU time of a request (limits.cpu.max_ms)": self.limits.cpu.max_ms,
            "latency.paired: the most memory (limits.memory)": memory.max_mib or memory.margin,
            "latency.paired: what the manifest promises (manifest)": self.manifest,
        }
        return tuple(aspect for aspect, declared in aspects.items() if declared is None)

    @property
    def asked(self) -> tuple[MixedRequest, ...]:
        """The endpoints that are asked, be it one."""
        one = MixedRequest(name="request", request=self.request, expected_status=self.expected_status)
        return self.mix or (one,)

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
