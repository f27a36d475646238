"""``[lifecycle]``: how the service has to start, refuse to start, serve for long, and end."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.config.expression import Expression
from harness.config.section import FamilySettings, Limits, Section

Milliseconds = Annotated[float, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


LEAST_STARTS = 4
"""Of either side: fewer have no interval of their ratio."""


class StartupSettings(Section):
    """``[lifecycle.startup]``.

    Attributes:
        starts: How often it is started.
        watch_s: How long readiness and predictions are asked side by side once it says that it is ready.
    """

    starts: Annotated[int, Field(ge=1, le=20)] = 2
    watch_s: Annotated[float, Field(gt=0, le=60)] = 0.5


class RefusalSettings(Section):
    """A start that has to be refused: ``[[lifecycle.refusals]]``.

    Attributes:
        variant: One of ``[service.variants]``.
        exit_code: With which it has to end; None for any but 0.
        log: A regular expression (Python's) that has to be found in what it wrote; None asks for nothing.
        wait_s: How long it is watched.
    """

    variant: str
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = None
    log: Expression | None = None
    wait_s: Seconds = 45.0


class RestartSettings(Section):
    """``[lifecycle.restart]``.

    Attributes:
        cases: Golden cases that are asked before and after.
    """

    cases: Annotated[int, Field(ge=1, le=10_000)] = 30


class DrainSettings(Section):
    """``[lifecycle.drain]``.

    Attributes:
        clients: Connections that ask one golden case after another.
        held: Requests of which the last byte is sent only after SIGTERM, so that they are surely in flight.
        load_s: How long it is asked before any is held.
        wait_s: How long its end is waited for.
    """

    clients: Annotated[int, Field(ge=1, le=64)] = 2
    held: Annotated[int, Field(ge=1, le=64)] = 4
    load_s: Annotated[float, Field(gt=0, le=60)] = 0.5
    wait_s: Seconds = 15.0


class SoakSettings(Section):
    """``[lifecycle.soak]``.

    Attributes:
        requests: Golden cases that are asked, again and again.
        connections: Requests at a time.
        warm_up_share: Of the requests, the share after which its memory counts.
        budget_s: Requests that are left over then make the check inconclusive.
    """

    requests: Annotated[int, Field(ge=1000, le=10_000_000)] = 10_000
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    warm_up_share: Annotated[float, Field(ge=0, le=0.5)] = 0.3
    budget_s: Annotated[float, Field(gt=0, le=86_400)] = 120.0


class LifecycleLimits(Limits):
    """``[lifecycle.limits]``.

    Attributes:
        ready_s: From its start until it is ready.
        startup_margin: By how much longer than the reference's its starts may take, a share; None allows any.
        first_answer_ms: The first prediction after that: a model that is loaded only then takes longer.
        refuse_s: From a start that it has to refuse until it has ended.
        restart_atol: How far a number of an answer may differ after a restart.
        exit_codes: With which it may end after SIGTERM.
        exit_s: From SIGTERM to its end.
        unavailable_held: Whether a request whose last byte came only after SIGTERM may be answered 503.
        growth_kib: Its memory may grow by so much with 1,000 requests.
        ready_ms: Within which it has to say that it is ready while it is loaded.
    """

    ready_s: Seconds = 30.0
    startup_margin: Annotated[float, Field(gt=0, le=10)] | None = None
    first_answer_ms: Milliseconds = 2000.0
    refuse_s: Seconds = 30.0
    restart_atol: Annotated[float, Field(ge=0)] = 0.0
    exit_codes: Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(min_length=1)] = (0,)
    exit_s: Seconds = 10.0
    unavailable_held: bool = False
    growth_kib: Annotated[float, Field(gt=0)] = 256.0
    ready_ms: Milliseconds = 2000.0


class LifecycleSettings(FamilySettings):
    """``[lifecycle]``. What is left out is not checked, which the report says.

    Attributes:
        startup: Starts it, and watches whether it is ready when it says so.
        refusals: Starts that it has to refuse.
        restart: Whether a new start answers the same.
        drain: Whether it ends in good order.
        soak: Whether it keeps its memory and its health through many requests.
        container: Whether to look at its processes from outside: no root, no capabilities.
    """

    startup: StartupSettings | None = None
    refusals: tuple[RefusalSettings, ...] = ()
    restart: RestartSettings | None = None
    drain: DrainSettings | None = None
    soak: SoakSettings | None = None
    container: bool = False
    limits: LifecycleLimits = LifecycleLimits()

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.startup or self.refusals or self.restart or self.drain or self.soak or self.container):
            raise ValueError("names nothing to check: startup, refusals, restart, drain, soak or container")
        if self.limits.startup_margin is not None and (
            self.startup is None or self.startup.starts < LEAST_STARTS
        ):
            raise ValueError(
                f"limits.startup_margin compares starts: it takes startup.starts of at least {LEAST_STARTS}"
            )
        names = [refusal.variant for refusal in self.refusals]
        if len(set(names)) != len(names):
            raise ValueError("refusals name a variant twice")
        return self

    def not_declared(self) -> tuple[str, ...]:
        """What of a start could be compared, and is not."""
        if self.startup is None or self.limits.startup_margin is not None:
            return ()
        return ("lifecycle.startup: against the reference's (limits.startup_margin)",)
