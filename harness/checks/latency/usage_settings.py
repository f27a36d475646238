"""``[latency.limits]``: what the candidate may use while it is asked."""

from typing import Annotated

from pydantic import Field

from harness.config.section import Section


class CpuLimits(Section):
    """What an answered request may take of CPU time, everything counted that the service uses meanwhile.

    Attributes:
        margin: Largest excess over the reference, as a share: 0.10 allows 1.10 times.
        max_ms: Absolute limit; None declares none.
    """

    margin: Annotated[float, Field(gt=0, le=10)] = 0.10
    max_ms: Annotated[float, Field(gt=0)] | None = None


class MemoryLimits(Section):
    """What the service may hold under load at most; page cache is not counted.

    Attributes:
        max_mib: Absolute limit; None declares none.
        margin: Largest excess over the most that the reference held, as a share; None declares none.
    """

    max_mib: Annotated[float, Field(gt=0)] | None = None
    margin: Annotated[float, Field(gt=0, le=10)] | None = None
