"""What ``[latency]`` declares of the further loads: bursts, the rate of production, capacity, soak."""

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.checks.latency.limits import least_pairs
from harness.config.section import Section
from harness.stats.groups import LEAST_GROUPS

SLO_BLOCKS = 12
SOAK_BLOCKS = 60
LEAST_TRIAL = 20
"""Arrivals: fewer have no p95."""
BURST_BLOCKS = 40
"""Bursts are cut into about so many blocks, several for each group."""


class BurstSettings(Section):
    """``[latency.burst]``: requests that come at once.

    Attributes:
        size: So many at once, to one side, and then as many to the other.
        bursts_per_s: To each side.
        budget_s: Time under load at most; less where the verdict is clear before.
    """

    size: Annotated[int, Field(ge=2, le=256)] = 16
    bursts_per_s: Annotated[float, Field(gt=0, le=100)] = 4.0
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 40.0

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
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 60.0

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
