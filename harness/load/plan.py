"""What the load generator is asked to send: JSON, read by the worker from its standard input."""

from enum import StrEnum
from typing import Annotated, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Arrival(StrEnum):
    """How arrivals are spaced; see `harness.load.schedule`."""

    CONSTANT = "constant"
    POISSON = "poisson"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class Side(_Part):
    """One service under load.

    Attributes:
        name: `reference` or `candidate`.
        base_url: Without a trailing slash.
    """

    name: str
    base_url: Annotated[str, Field(pattern=r"^https?://.*[^/]$")]

    def request_target(self, path: str) -> str:
        """Return what stands in the request line for a path: quoted as httpx does it for all other checks."""
        return httpx.URL(self.base_url + path).raw_path.decode("ascii")


class Payload(_Part):
    """One request, the same for every side.

    Attributes:
        headers: With credentials; they reach the worker by its standard input only.
        expected_status: Anything else is a failure, redirects included (none is followed).
        weight: How often it is drawn, in proportion to the weights of the others.
    """

    method: str
    path: str
    headers: dict[str, str] = {}
    body: bytes | None = None
    expected_status: int = 200
    weight: Annotated[float, Field(gt=0)] = 1.0


class LoadPlan(_Part):
    """A load, cut into blocks that the parent asks for one by one.

    Attributes:
        sides: One, or two to be compared: then each arrival is a pair, one request to each.
        rate_per_s: Arrivals a second at each side.
        block_arrivals: Arrivals at each side in one block.
        dead_time: With two sides and Poisson arrivals, the share of the mean spacing between any two
            requests that is kept free, so that mostly one side works at a time.
        burst: So many arrivals come at once: all to one side, then as many, with the same payloads, to the
            other; spacing and dead time are between those. A block holds whole bursts. 1 is no burst.
        ladder: Factors on `rate_per_s`, and so on the arrivals of a block, which lasts as long: block b has
            factor number b, and from the first again after the last. Without any, all blocks are alike.
        timeout_s: A request without a whole answer this long after it was sent has failed.
        warmup_requests: Requests to each side before the first block, paced alike, not counted.
        concurrency: Connections to each side; an arrival that finds none free waits, and the wait counts.
        max_body_bytes: A longer answer is a failure.
        cpu_affinity: Cores for the worker, None to leave it be.
    """

    sides: Annotated[tuple[Side, ...], Field(min_length=1, max_length=2)]
    payloads: Annotated[tuple[Payload, ...], Field(min_length=1)]
    rate_per_s: Annotated[float, Field(gt=0)]
    arrival: Arrival = Arrival.POISSON
    block_arrivals: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    dead_time: Annotated[float, Field(ge=0, lt=1)] = 0.9
    burst: Annotated[int, Field(ge=1)] = 1
    ladder: tuple[Annotated[float, Field(gt=0)], ...] = ()
    timeout_s: Annotated[float, Field(gt=0)] = 5.0
    warmup_requests: Annotated[int, Field(ge=0)] = 50
    concurrency: Annotated[int, Field(ge=1)] = 64
    max_body_bytes: Annotated[int, Field(ge=0)] = 16 * 1024 * 1024
    cpu_affinity: tuple[int, ...] | None = None

    @model_validator(mode="after")
    def _distinct_sides(self) -> Self:
        if len({side.name for side in self.sides}) != len(self.sides):
            raise ValueError("sides need different names")
        return self

    @model_validator(mode="after")
    def _whole_bursts(self) -> Self:
        if self.block_arrivals % self.burst:
            raise ValueError("block_arrivals must be whole bursts")
        return self

    @property
    def most_per_s(self) -> float:
        """Arrivals a second at each side, in the block that has most."""
        return self.rate_per_s * max(self.ladder, default=1.0)

    def factor(self, block: int) -> float:
        """Return the factor on rate and arrivals of a block from 0."""
        return self.ladder[block % len(self.ladder)] if self.ladder else 1.0

    @property
    def together(self) -> int:
        """Requests that follow one another in a schedule and belong to one generator: a pair of bursts."""
        return len(self.sides) * self.burst

    @property
    def block_s(self) -> float:
        """Expected duration of a block."""
        return self.block_arrivals / self.rate_per_s
