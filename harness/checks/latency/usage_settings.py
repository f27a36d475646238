"""``[latency]``: what the candidate may use while it is asked, and where its manifest says what it needs."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.config.section import Section
from harness.config.service import Pointer


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


class ManifestPromises(Section):
    """``[latency.manifest]``: pointers into what the path of ``[service.metadata]`` answers; None asks not.

    Attributes:
        p99_ms: The p99 of the response time, in ms.
        memory_mib: The most that it holds, in MiB.
    """

    p99_ms: Pointer | None = None
    memory_mib: Pointer | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.p99_ms is None and self.memory_mib is None:
            raise ValueError("names no promise: p99_ms or memory_mib")
        return self
