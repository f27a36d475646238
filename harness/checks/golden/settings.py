"""``[golden]``: how cases are asked, where outputs lie in the answers, how far they may be off."""

import json
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.config.section import FamilySettings, Limits, Section
from harness.config.service import Pointer
from harness.http_request import RequestTemplate
from harness.template import PLACEHOLDER

OTHER_FINDINGS = frozenset({"answers", "items", "own", "repeats"})
"""What the checks find besides one thing of each output."""

Dtype = Literal["string", "bool", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


class OutputSettings(Section):
    """One output of the model as it lies in an answer.

    Attributes:
        pointer: Into the answer to a single request, or into one item of a batch answer.
        dtype: Declared element type; over JSON it is checked by token and range.
        keys: For an object of values: exactly these names, each with an array of ``shape``.
        shape: For an array: exactly this shape, ``[]`` for a scalar.
    """

    pointer: Pointer
    dtype: Dtype
    keys: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    shape: tuple[Annotated[int, Field(ge=1)], ...] = ()


class BatchTemplate(RequestTemplate):
    """A request for several cases: ``${inputs}`` is the array of their inputs.

    Attributes:
        size: Cases to a request.
        items: Pointer to the array of results, in the order of the inputs.
    """

    size: Annotated[int, Field(ge=2)] = 64
    items: Pointer


class ConcurrentSettings(Section):
    """``[golden.concurrent]``.

    Attributes:
        connections: Requests at a time.
        repeats: How often each case is asked.
    """

    connections: Annotated[int, Field(ge=2, le=64)] = 16
    repeats: Annotated[int, Field(ge=2, le=100)] = 2


class Tolerance(Section):
    """Pass when ``abs(observed - expected) <= atol + rtol * abs(expected)``; the default is exact.

    Attributes:
        source: Where the numbers come from, for the reviewer.
    """

    atol: Annotated[float, Field(ge=0)] = 0.0
    rtol: Annotated[float, Field(ge=0)] = 0.0
    source: str = ""


EXACT = Tolerance()


class GoldenLimits(Limits):
    """``[golden.limits]``: a tolerance per output; one that is not named is compared exactly.

    Attributes:
        outputs: Of an answer to the golden value.
        repeats: Of an answer to an earlier answer to the same case.
    """

    outputs: dict[str, Tolerance] = {}
    repeats: dict[str, Tolerance] = {}

    def tolerance(self, output: str) -> Tolerance:
        """The tolerance of an output."""
        return self.outputs.get(output, EXACT)

    def repeat_tolerance(self, output: str) -> Tolerance:
        """How far two answers to one case may be apart in an output."""
        return self.repeats.get(output, EXACT)


class GoldenSettings(FamilySettings):
    """``[golden]``.

    Attributes:
        path: Folder with golden.toml, relative to gate.toml.
        single: One case a request; ``${input}`` is the case's input.
        concurrent: Ask every case several times, many at once.
        outputs: What the cases' ``expected`` names.
        connections: Requests at a time, each on a connection that is kept alive.
        timeout_s: For one request, from connecting to the last byte of the answer.
        most_answer_bytes: A longer answer is cut off and fails its cases.
        budget_s: For all requests of a check; cases left over make it inconclusive.
    """

    path: str
    single: RequestTemplate
    batch: BatchTemplate | None = None
    concurrent: ConcurrentSettings | None = None
    outputs: Annotated[dict[str, OutputSettings], Field(min_length=1)]
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    timeout_s: Annotated[float, Field(gt=0)] = 30.0
    most_answer_bytes: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    limits: GoldenLimits = GoldenLimits()

    @field_validator("outputs")
    @classmethod
    def _findings_of_their_own(cls, outputs: dict[str, OutputSettings]) -> dict[str, OutputSettings]:
        if taken := sorted(OTHER_FINDINGS & set(outputs)):
            raise ValueError(f"an output cannot be named {taken[0]!r}: it is the name of another finding")
        return outputs

    @model_validator(mode="after")
    def _limits_name_outputs(self) -> Self:
        for table, named in (("outputs", self.limits.outputs), ("repeats", self.limits.repeats)):
            if unknown := sorted(set(named) - set(self.outputs)):
                raise ValueError(f"limits.{table} names {unknown}, outputs has {sorted(self.outputs)}")
            if numberless := [name for name in named if self.outputs[name].dtype in ("string", "bool")]:
                raise ValueError(f"limits.{table} gives {numberless} a tolerance, but they are not numbers")
        return self

    @model_validator(mode="after")
    def _bodies_carry_the_cases(self) -> Self:
        # A body without its placeholder would ask every case the same question.
        _require_only(self.single, "input", "single")
        if self.batch is not None:
            _require_only(self.batch, "inputs", "batch")
        return self


def _require_only(template: RequestTemplate, placeholder: str, key: str) -> None:
    named = set(PLACEHOLDER.findall(json.dumps(template.body)))
    if named != {placeholder}:
        raise ValueError(
            f"{key}.body has the placeholders {sorted(named)}, it needs ${{{placeholder}}} and no other"
        )
