"""``[scenarios]``: which files, and what their steps may refer to."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.checks.scenarios.rate_policy import RatePolicy
from harness.config.auth import Name
from harness.config.section import FamilySettings, Section
from harness.config.service import Pointer, UrlPath
from harness.http_request import RequestTemplate

REPEAT_VARIABLE = "i"


class VariableSettings(Section):
    """A JSON value from a file of the suite, for instance the input of a golden case.

    Attributes:
        file: Relative to gate.toml.
        line: Of a JSON Lines file, from 1; None reads the file as one JSON document.
        pointer: The part of that document.
    """

    file: str
    line: Annotated[int, Field(ge=1)] | None = None
    pointer: Pointer = ""


class CounterSettings(Section):
    """A counter that the service exposes in the Prometheus text format.

    Attributes:
        path: Where.
        metric: Its name as exposed, with ``_total``; whatever labels it has are added up.
        credential: A name under ``[auth.credentials]`` for that; None sends none.
        inferences: Whether it counts inferences, so that no refused request may make it rise.
    """

    path: UrlPath
    metric: Annotated[str, Field(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
    credential: str | None = None
    inferences: bool = False


class ScenariosSettings(FamilySettings):
    """``[scenarios]``.

    There is nothing under ``limits``: a scenario holds or fails, and its file says what it expects.

    Attributes:
        auth: Scenario files about who may ask, relative to gate.toml.
        rate: Scenario files about how often.
        min_auth: With fewer auth scenarios than this the check is inconclusive; ``min_rate`` alike.
        rate_policies: The quotas that steps name, and how they are counted.
        variables: ``${name}`` in requests; ``${i}`` is the number of a repeated request.
        requests: Requests that steps name. They carry no credential: each step says whose it sends.
        counters: What ``expect.counters`` names.
        timeout_s: For one request, from connecting to the end of its answer.
        max_wait_s: The longest ``Retry-After`` that is waited for.
        budget_s: For all scenarios of a check; those left over make it inconclusive.
    """

    auth: tuple[str, ...] = ()
    rate: tuple[str, ...] = ()
    min_auth: Annotated[int, Field(ge=1)] = 1
    min_rate: Annotated[int, Field(ge=1)] = 1
    rate_policies: dict[Name, RatePolicy] = {}
    variables: dict[Name, VariableSettings] = {}
    requests: dict[Name, RequestTemplate] = {}
    counters: dict[Name, CounterSettings] = {}
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    max_wait_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 120.0

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        if REPEAT_VARIABLE in self.variables:
            raise ValueError(f"variables.{REPEAT_VARIABLE} is reserved for the number of a repeated request")
        for name, request in self.requests.items():
            if request.credential is not None:
                raise ValueError(f"requests.{name} has a credential; the steps that use it name theirs")
        return self

    def not_declared(self) -> tuple[str, ...]:
        """The counter by which a refused request is shown to infer nothing, and quotas without an algorithm.

        Scenarios that name such a quota are not played.
        """
        counted = any(counter.inferences for counter in self.counters.values())
        counters = () if counted else ("scenarios: the counter of inferences",)
        return counters + tuple(
            f"scenarios.rate: the algorithm of rate_policies.{name}"
            for name, policy in self.rate_policies.items()
            if policy.algorithm is None
        )
