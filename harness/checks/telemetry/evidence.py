"""What clients saw, and what the service said it saw."""

from harness.checks.interface import Evidence
from harness.checks.telemetry.settings import DurationHistogram, RejectionCounter, RequestCounter
from harness.model import Model, Utf8Text


class Sent(Model):
    """One request.

    Attributes:
        status: Of its answer; None where none came.
        seconds: From sending to the end of the answer.
        request_id: What the answer names itself; None without.
        given_id: What the request was to be named; None where that was left to the service.
        logged: How many lines of the log have that id; None where there is no log to read.
    """

    path: str
    status: int | None
    seconds: float
    request_id: Utf8Text | None = None
    given_id: Utf8Text | None = None
    logged: int | None = None


class Counted(Model):
    """How far the service's own figures rose meanwhile; None where it does not expose one.

    Attributes:
        requests: By ``path status``, for those that were sent.
        durations: By path: how many, and their sum in seconds.
        inferences: Answered rows.
        buckets: By path: upper bounds in seconds and their cumulative counts.
        rejections: By the counter's name.
    """

    requests: dict[str, float | None]
    durations: dict[str, tuple[float | None, float | None]]
    inferences: float | None = None
    buckets: dict[str, tuple[tuple[float, float], ...]] = {}
    rejections: dict[str, float | None] = {}


class TelemetryEvidence(Evidence):
    """Evidence of ``telemetry.metrics``.

    Attributes:
        problem: Why the metrics could not be read; empty when they could.
        refused: Declared statuses of the requests to be refused; these come in turn after the golden ones.
        golden: How many of ``sent`` asked a golden case, one inference each; they come first.
        leaked: Where a secret of the run was seen: in the metrics, in the log.
        log_cut: Whether the log may lack what was written first.
    """

    request_counter: RequestCounter | None
    inference_counter: str | None
    duration_histogram: DurationHistogram | None
    rejection_counters: tuple[RejectionCounter, ...] = ()
    request_id_header: str | None
    refused: tuple[int, ...] = ()
    sent: tuple[Sent, ...]
    golden: int
    counted: Counted | None
    problem: Utf8Text = ""
    leaked: tuple[str, ...] = ()
    log_cut: bool = False
