"""``[scenarios.rate_policies.NAME]``: how much may be asked how often, and how it is counted.

What each algorithm lets through, of requests that cost ``c`` of a ``limit`` in ``window_s`` seconds. A
refused request takes nothing, and whoever has never asked has the whole limit.

``fixed-window``
    Time is cut into windows. A request passes if what passed before it in the same window, and it, are at
    most the limit. ``aligned`` windows follow each other without a gap, at a phase that the client does not
    know; a window opened by the ``first-request`` starts with the first one that no window holds.
``sliding-window-log``
    A request passes if what passed in the ``window_s`` before it, and it, are at most the limit.
``sliding-window-counter``
    Of aligned windows the previous one counts with the share of it that the last ``window_s`` still cover;
    that product may be rounded down. Cloudflare, "How we built rate limiting capable of scaling to millions
    of domains" (2017).
``token-bucket``
    A bucket of ``burst`` tokens, full at first, gains ``limit / window_s`` a second, continuously; a request
    takes ``c`` tokens or is refused. RFC 2697 and 2698 meter packets with it.
``gcra``
    The generic cell rate algorithm (ITU-T I.371) with the increment ``window_s / limit`` and the tolerance
    ``(burst - 1)`` increments. It lets through exactly what the token bucket does, and keeps one time.
"""

import math
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.config.section import Section

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]


class Algorithm(StrEnum):
    """How a limiter counts."""

    FIXED_WINDOW = "fixed-window"
    SLIDING_WINDOW_LOG = "sliding-window-log"
    SLIDING_WINDOW_COUNTER = "sliding-window-counter"
    TOKEN_BUCKET = "token-bucket"  # noqa: S105 - a name, no secret
    GCRA = "gcra"


BUCKETS = (Algorithm.TOKEN_BUCKET, Algorithm.GCRA)


class RatePolicy(Section):
    """One quota.

    Attributes:
        limit: What may pass in a window.
        window_s: Its length.
        algorithm: None where the suite does not say; then scenarios that need it are not played.
        opens: When a fixed window starts; ``either`` allows both.
        burst: Of a bucket; None is the limit.
        tolerance_s: A window may be this much shorter or longer, for clocks and their grain.
        refused: The status of a refusal.
        limit_header: Whose whole number is always the limit.
        remaining_header: What could be asked at once after this answer.
        reset_header: In how many seconds the whole limit is there again.
    """

    limit: Annotated[int, Field(ge=1, le=1_000_000)]
    window_s: Annotated[float, Field(gt=0, le=86_400)]
    algorithm: Algorithm | None = None
    opens: Literal["aligned", "first-request", "either"] | None = None
    burst: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    tolerance_s: Annotated[float, Field(ge=0.001)] = 0.05
    refused: Annotated[int, Field(ge=400, le=599)] = 429
    limit_header: HeaderName | None = None
    remaining_header: HeaderName | None = None
    reset_header: HeaderName | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.opens is None) == (self.algorithm is Algorithm.FIXED_WINDOW):
            raise ValueError('algorithm = "fixed-window" needs opens, and no other takes it')
        if self.burst is not None and self.algorithm not in BUCKETS:
            raise ValueError('burst is for algorithm = "token-bucket" or "gcra"')
        if self.tolerance_s > self.window_s / 4:
            raise ValueError("tolerance_s is more than a quarter of window_s")
        return self

    @property
    def capacity(self) -> int:
        """The most that one request may cost."""
        return self.burst or self.limit

    def most_in(self, span_s: float) -> int:
        """The most that may pass within ``span_s`` seconds, both ends included, whatever passed before."""
        windows = (span_s + self.tolerance_s) / self.window_s
        match self.algorithm:
            case Algorithm.SLIDING_WINDOW_LOG:
                return self.limit * (math.floor(windows) + 1)
            case Algorithm.SLIDING_WINDOW_COUNTER:
                return math.floor(self.limit * (1 + windows)) + 1
            case Algorithm.TOKEN_BUCKET | Algorithm.GCRA:
                return math.floor(self.capacity + self.limit * windows)
            case _:
                return self.limit * (math.ceil(windows) + 1)
