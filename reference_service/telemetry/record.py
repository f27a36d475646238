"""What is known of one request once it is answered: whoever learns something writes it here."""

import time
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

MAX_LOGGED_NAME = 200


@dataclass(slots=True)
class RequestRecord:
    """Lies in the scope as `record`; told in the log, the metrics, `Server-Timing` and the trace.

    Attributes:
        started: When the request began, on the clock of `time.perf_counter`, in seconds.
        status: Of the answer; 0 while there is none.
        error_code: That of the error schema; None for a success.
        client: Who asked, as rate limits count: the client of an API key, or the subject of a token.
        key_id: The API key's id, or the `kid` of the key that verified the token.
        client_request_id: What the body of the request calls it.
        trace_id: Of the trace that the request belongs to, in hexadecimal; None without tracing.
        rows: How many rows it asks about.
        input_hash: The keyed digest of its rows, see `telemetry.input_hash`.
        parse_s: Parsing and validation of the body.
        queue_s: Waiting for the model.
        inference_started: When the model began with it, on the clock of `started`; None if it never did.
        inference_s: How long the model took.
    """

    started: float = field(default_factory=time.perf_counter)
    status: int = 0
    error_code: str | None = None
    client: str | None = None
    key_id: str | None = None
    client_request_id: str | None = None
    trace_id: str | None = None
    rows: int | None = None
    input_hash: str | None = None
    parse_s: float = 0.0
    queue_s: float = 0.0
    inference_started: float | None = None
    inference_s: float = 0.0

    def authenticated(self, client: str, key_id: str) -> None:
        """Note who asked; a token may name its subject at any length."""
        self.client = client[:MAX_LOGGED_NAME]
        self.key_id = key_id[:MAX_LOGGED_NAME]

    def inferred(self, started: float, ended: float) -> None:
        """Note when the model answered."""
        self.inference_started = started
        self.inference_s = ended - started

    def server_timing(self) -> bytes | None:
        """Return the header's value, milliseconds up to now; None for a request that had no inference."""
        if self.inference_started is None:
            return None
        total_s = time.perf_counter() - self.started
        return (
            f"parse;dur={self.parse_s * 1000:.3f}, queue;dur={self.queue_s * 1000:.3f}, "
            f"inference;dur={self.inference_s * 1000:.3f}, total;dur={total_s * 1000:.3f}"
        ).encode("ascii")

    def log_fields(self) -> dict[str, Any]:
        """Return what is known, with latencies in milliseconds."""
        fields: dict[str, Any] = {
            "status": self.status,
            "duration_ms": round((time.perf_counter() - self.started) * 1000, 3),
        }
        if self.error_code is not None:
            fields["error_code"] = self.error_code
        if self.client is not None:
            fields["client"] = self.client
            fields["key_id"] = self.key_id
        if self.client_request_id is not None:
            fields["client_request_id"] = self.client_request_id
        if self.trace_id is not None:
            fields["trace_id"] = self.trace_id
        if self.rows is not None:
            fields["rows"] = self.rows
        if self.input_hash is not None:
            fields["input_hash"] = self.input_hash
        if self.inference_started is not None:
            fields["parse_ms"] = round(self.parse_s * 1000, 3)
            fields["queue_ms"] = round(self.queue_s * 1000, 3)
            fields["inference_ms"] = round(self.inference_s * 1000, 3)
        return fields


def record_of(scope: Scope) -> RequestRecord:
    """Return the record of a request."""
    record: RequestRecord = scope["record"]
    return record
