"""``[golden]``: how cases are asked, where outputs lie in the answers, how far they may be off."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.config.section import FamilySettings, Limits, Section
from harness.config.service import Pointer
from harness.http_request import RequestTemplate

Dtype = Literal["string", "bool", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


class OutputSettings(Section):
    """One output of the model as it lies in an answer.

    Attributes:
        pointer: Into the answer to a single request, or into one item of a batch answer.
        dtype: Declared element type; over JSON it is checked by token, range and representability.
        keys: For an object of values: exactly these names.
        shape: For an array: exactly this shape, ``[]`` for a scalar.
    """

    pointer: Pointer
    dtype: Dtype
    keys: tuple[str, ...] | None = None
    shape: tuple[int, ...] = ()


class BatchTemplate(RequestTemplate):
    """A request for several cases: ``${inputs}`` is the array of their inputs.

    Attributes:
        size: Cases to a request.
        items: Pointer to the array of results, in the order of the inputs.
    """

    size: Annotated[int, Field(ge=2)] = 64
    items: Pointer


class Tolerance(Section):
    """Pass when ``abs(observed - expected) <= atol + rtol * abs(expected)``; the default is exact.

    Attributes:
        source: Where the numbers come from, for the reviewer.
    """

    atol: Annotated[float, Field(ge=0)] = 0.0
    rtol: Annotated[float, Field(ge=0)] = 0.0
    source: str = ""


class GoldenLimits(Limits):
    """``[golden.limits]``: a tolerance per output; one that is not named is compared exactly."""

    outputs: dict[str, Tolerance] = {}


class GoldenSettings(FamilySettings):
    """``[golden]``.

    Attributes:
        path: Folder with golden.toml, relative to gate.toml.
        single: One case a request; ``${input}`` is the case's input.
        outputs: What the cases' ``expected`` names.
    """

    path: str
    single: RequestTemplate
    batch: BatchTemplate | None = None
    outputs: Annotated[dict[str, OutputSettings], Field(min_length=1)]
    limits: GoldenLimits = GoldenLimits()

    @model_validator(mode="after")
    def _limits_name_outputs(self) -> Self:
        unknown = sorted(set(self.limits.outputs) - set(self.outputs))
        if unknown:
            raise ValueError(f"limits.outputs names {unknown}, outputs has {sorted(self.outputs)}")
        return self
