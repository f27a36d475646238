"""What is known of one request once it is answered: whoever learns something writes it here."""

from dataclasses import dataclass


@dataclass(slots=True)
class RequestRecord:
    """Lies in the scope as `record`; told in the log, the metrics, `Server-Timing` and the trace.

    Attributes:
        client_request_id: What the body of the request calls it.
        error_code: That of the error schema; None for a success.
    """

    client_request_id: str | None = None
    error_code: str | None = None
