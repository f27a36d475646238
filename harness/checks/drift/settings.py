"""``[drift]``: which requests both services get, what of their answers is compared, how far it may drift."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from harness.config.section import FamilySettings, Limits, Section
from harness.config.service import Pointer

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
DEFAULT_BINS = 10
Share = Annotated[float, Field(gt=0, lt=1)]


class PredictionSettings(Section):
    """One prediction as it lies in an answer.

    Attributes:
        pointer: Into the answer, to one value.
        kind: A ``category`` is a text, boolean or whole number that is equal or not; a ``number`` has a
            distribution over bins.
        tolerance: By how much two numbers may differ and still agree.
        bins: Of a number, each with an equal share of the reference's predictions.
    """

    pointer: Pointer
    kind: Literal["category", "number"]
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    bins: Annotated[int, Field(ge=2, le=50)] = DEFAULT_BINS

    @model_validator(mode="after")
    def _tolerance_is_for_numbers(self) -> Self:
        if self.kind == "category" and (self.tolerance, self.bins) != (0.0, DEFAULT_BINS):
            raise ValueError("tolerance and bins are for kind = 'number'")
        return self


class SliceSettings(Section):
    """A part of the request that divides the requests into slices.

    Attributes:
        pointer: Into the JSON body of a request, to one value.
        parts: Numbers are divided into these many slices of equal size; texts and booleans into one slice
            for each of the most frequent values.
    """

    pointer: Pointer
    parts: Annotated[int, Field(ge=2, le=20)] = 4


class DriftLimits(Limits):
    """``[drift.limits]``.

    Attributes:
        disagreement: Largest share of requests that are predicted otherwise, for each prediction.
        psi: Largest population stability index of each prediction.
        jensen_shannon: Largest Jensen-Shannon divergence of each, in bits.
        slice_disagreement: Largest share of disagreement in any slice.
        min_requests: With fewer comparable requests nothing is decided.
        min_slice: A slice with fewer is not judged.
        confidence: Of each bound by itself.
    """

    disagreement: Share = 0.01
    psi: Annotated[float, Field(gt=0)] = 0.1
    jensen_shannon: Share = 0.02
    slice_disagreement: Share = 0.05
    min_requests: Annotated[int, Field(ge=1)] = 300
    min_slice: Annotated[int, Field(ge=1)] = 50
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class DriftSettings(FamilySettings):
    """``[drift]``.

    Attributes:
        traffic: Recorded requests, relative to gate.toml; None asks the golden cases.
        credential: What recorded requests are sent with.
        predictions: What is compared.
        slices: Where disagreement is looked for.
        most_requests: Of a longer recording a seeded sample is asked.
        connections: Requests at a time.
        timeout_s: For one request, from connecting to the last byte of the answer.
        most_answer_bytes: A longer answer counts as none.
        budget_s: For the requests to one service; those left over make it inconclusive.
    """

    traffic: str | None = None
    credential: str | None = None
    predictions: Annotated[dict[Name, PredictionSettings], Field(min_length=1)]
    slices: dict[Name, SliceSettings] = {}
    most_requests: Annotated[int, Field(ge=1, le=100_000)] = 2000
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    timeout_s: Annotated[float, Field(gt=0)] = 30.0
    most_answer_bytes: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    limits: DriftLimits = DriftLimits()

    @model_validator(mode="after")
    def _credential_is_for_traffic(self) -> Self:
        if self.credential is not None and self.traffic is None:
            raise ValueError("credential is for recorded traffic; golden cases are sent as [golden] says")
        return self

    @model_validator(mode="after")
    def _no_prediction_is_named_answers(self) -> Self:
        if "answers" in self.predictions:
            raise ValueError("a prediction cannot be named 'answers': it is the name of another finding")
        return self

    def not_declared(self) -> tuple[str, ...]:
        """Slices, and traffic other than the golden cases."""
        missing = []
        if self.traffic is None:
            missing.append("drift.predictions: recorded traffic (the golden cases are asked)")
        if not self.slices:
            missing.append("drift.predictions: slices")
        return tuple(missing)
