"""``[fuzz]``: which contract to generate requests from, and which request to malform."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from harness.config.section import FamilySettings, Limits, Section
from harness.http_request import RequestTemplate

Expectation = Literal["valid", "refused", "refused_or_closed", "depends"]
"""What is right for a raw request.

``valid`` is answered 2xx, ``refused`` 4xx, ``refused_or_closed`` 4xx or by closing the connection; for
``depends`` any answer but a server error is right. None may hang, and the service is healthy after each.
"""


SchemaCheck = Literal[
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]
"""Schemathesis's checks of single answers, by its own names."""


class RawSettings(Section):
    """``[fuzz.raw]``: one valid request, sent malformed in every way of the corpus (``corpus.py``).

    Attributes:
        request: The valid request; ``${input}`` is ``input``. Without it ``[golden.single]`` is used.
        input: Without it, the input of the first golden case.
        largest_body_bytes: What the service declares to accept; a longer body has to be refused. Without it
            a body of 64 MiB may be answered either way.
        error_schema: Where in ``fuzz.openapi`` the schema lies that the body of a refusal has to match
            (``#/components/schemas/Error``). Without it any body will do.
        expect: Other expectations than the corpus has, by name of the case.
        answer_timeout_s: Within which every request is answered or its connection closed.
        budget_s: For the whole corpus; cases left over make the check inconclusive.
    """

    request: RequestTemplate | None = None
    input: Any = None
    largest_body_bytes: Annotated[int, Field(ge=1, le=64 * 1024 * 1024)] | None = None
    error_schema: Annotated[str, Field(pattern=r"^#/")] | None = None
    expect: dict[str, Expectation] = {}
    answer_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 120.0


class FuzzLimits(Limits):
    """``[fuzz.limits]``.

    Attributes:
        min_accepted_share: Of the valid requests of each operation, the share that is answered 2xx: a service
            that refuses everything breaks no schema.
        max_answer_ms: Within which a raw request is answered or its connection closed.
        max_recovery_ms: Within which the valid request is answered after a raw one.
        max_memory_growth_mib: What the service may hold more after the raw corpus than before, in MiB.
    """

    min_accepted_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    max_answer_ms: Annotated[float, Field(gt=0)] = 5000.0
    max_recovery_ms: Annotated[float, Field(gt=0)] = 5000.0
    max_memory_growth_mib: Annotated[float, Field(gt=0)] | None = None


class FuzzSettings(FamilySettings):
    """``[fuzz]``.

    Attributes:
        openapi: The frozen contract, relative to gate.toml; without it no request is generated.
        credential: Name under ``[auth.credentials]`` with a quota that the requests do not exhaust.
        checks: What every answer is held against.
        cases_per_operation: Generated for each operation and answered.
        answer_timeout_s: Bound of one request.
        budget_s: Bound of all generated requests; running out of it makes the check inconclusive.
        shrink_budget_s: Bound of making the requests that failed smaller, after that.
    """

    openapi: str | None = None
    credential: str | None = None
    checks: Annotated[tuple[SchemaCheck, ...], Field(min_length=1)] = get_args(SchemaCheck)
    cases_per_operation: Annotated[int, Field(ge=1, le=100_000)] = 100
    answer_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    shrink_budget_s: Annotated[float, Field(gt=0, le=600)] = 15.0
    raw: RawSettings | None = None
    limits: FuzzLimits = FuzzLimits()

    def not_declared(self) -> tuple[str, ...]:
        """What of the raw corpus is not asked for want of a declaration."""
        if self.raw is None:
            return ()
        aspects = {
            "the body of a refusal (fuzz.raw.error_schema)": self.raw.error_schema,
            "the largest body (fuzz.raw.largest_body_bytes)": self.raw.largest_body_bytes,
            "the growth of memory (fuzz.limits.max_memory_growth_mib)": self.limits.max_memory_growth_mib,
        }
        return tuple(f"fuzz.raw: {aspect}" for aspect, declared in aspects.items() if declared is None)
