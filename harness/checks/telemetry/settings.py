"""``[telemetry]``: where the service counts, and by which names."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from harness.config.section import FamilySettings, Limits, Section
from harness.config.service import UrlPath
from harness.http_request import RequestTemplate

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
Status = Annotated[int, Field(ge=100, le=599)]


class RequestCounter(Section):
    """The counter of requests.

    Attributes:
        metric: Its name as exposed, with ``_total``.
        path: The label that holds a request's path.
        status: The label that holds its answer's status.
    """

    metric: MetricName
    path: LabelName
    status: LabelName


class DurationHistogram(Section):
    """The histogram of requests' durations, in seconds.

    Attributes:
        metric: Its name without ``_bucket``, ``_sum`` and ``_count``.
        path: The label that holds a request's path.
    """

    metric: MetricName
    path: LabelName


class RejectionCounter(Section):
    """A counter of answers that refuse.

    Attributes:
        metric: Its name as exposed; whatever labels it has are added up.
        status: What such an answer has.
    """

    metric: MetricName
    status: Status


class SeriesSettings(Section):
    """A metric, by its name as exposed: a counter with ``_total``, a histogram without ``_bucket``.

    Attributes:
        type: As its ``# TYPE`` says.
        labels: Exactly those that its series have; ``le`` and ``quantile`` are none of them.
    """

    type: Literal["counter", "gauge", "histogram", "summary", "untyped"]
    labels: tuple[LabelName, ...] = ()


class RefusedRequest(RequestTemplate):
    """A request that has to be refused, and so counted as refused."""

    status: Status


class TelemetryLimits(Limits):
    """``[telemetry.limits]``; what was counted is what was sent, whatever the limits.

    Attributes:
        new_series: A metric may get as many series by 20 requests to made-up paths.
        bucket_slack_ms: The service may end its clock so long after its client did.
    """

    new_series: Annotated[int, Field(ge=0)] = 10
    bucket_slack_ms: Annotated[float, Field(ge=0)] = 10.0


class TelemetrySettings(FamilySettings):
    """``[telemetry]``. Every name that is left out is not checked, which the report says.

    Attributes:
        path: Where the service exposes its metrics in the Prometheus text format.
        credential: A name under ``[auth.credentials]`` for that; None sends none.
        cases: Golden cases that are asked, as ``[golden.single]`` asks them; each is one inference.
        refused: Requests that are sent besides, ``repeat`` times each.
        repeat: How often.
        requests: The counter of requests.
        inferences: The counter of answered rows; whatever labels it has are added up.
        duration: The histogram of durations.
        rejections: Counters of refused requests.
        series: Metrics with their types and labels, by name.
        marked_cases: Golden cases that are asked with values of many digits, which must not be found again in
            metrics or log.
        request_id: The response header with a request's id, which a line of the log has to have too.
        keeps_request_id: Whether an id that a client sends in that header is the request's, and no other.
        settle_s: How long counters and log may lag behind the answers.
    """

    path: UrlPath
    credential: str | None = None
    cases: Annotated[int, Field(ge=1, le=1000)] = 20
    refused: tuple[RefusedRequest, ...] = ()
    repeat: Annotated[int, Field(ge=1, le=100)] = 5
    requests: RequestCounter | None = None
    inferences: MetricName | None = None
    duration: DurationHistogram | None = None
    rejections: tuple[RejectionCounter, ...] = ()
    series: dict[MetricName, SeriesSettings] = {}
    marked_cases: Annotated[int, Field(ge=0, le=100)] = 0
    request_id: Annotated[str, Field(min_length=1)] | None = None
    keeps_request_id: bool = False
    settle_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    limits: TelemetryLimits = TelemetryLimits()

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.requests or self.inferences or self.duration or self.request_id):
            raise ValueError("names nothing to check: requests, inferences, duration or request_id")
        if self.keeps_request_id and not self.request_id:
            raise ValueError("keeps_request_id is of the header that request_id names, and there is none")
        if self.marked_cases and not self.series:
            raise ValueError("marked_cases are asked by the check of series, and there are no series")
        return self

    def not_declared(self) -> tuple[str, ...]:
        """The names that are left out."""
        aspects = {
            "telemetry.metrics: the counter of requests": self.requests,
            "telemetry.metrics: the counter of inferences": self.inferences,
            "telemetry.metrics: the histogram of durations": self.duration,
            "telemetry.metrics: counters of refused requests": self.rejections,
            "telemetry.metrics: the request id": self.request_id,
            "telemetry.metrics: request ids that clients send": self.keeps_request_id or not self.request_id,
            "telemetry.series: marked cases": self.marked_cases or not self.series,
        }
        return tuple(aspect for aspect, declared in aspects.items() if not declared)
