"""Reads what a service exposes, bounded in time and size."""

from dataclasses import dataclass

import httpx

from harness.checks.interface import CheckContext
from harness.checks.telemetry.exposition import Exposition, ExpositionError
from harness.checks.telemetry.settings import TelemetrySettings
from harness.http_exchange import get_document
from harness.http_request import Request

TIMEOUT_S = 30.0
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Scrape:
    """What the service exposed.

    Attributes:
        samples: None where they could not be read; ``problem`` says why.
        text: As it came.
        leaked: Whether a secret of the run stands in it.
    """

    samples: Exposition | None = None
    text: str = ""
    problem: str = ""
    leaked: bool = False


def scrape(client: httpx.Client, context: CheckContext, settings: TelemetrySettings) -> Scrape:
    """Ask once."""
    asked = f"GET {settings.path}"
    request = Request("GET", settings.path, context.credentials.headers(settings.credential))
    document = get_document(client, request, timeout_s=TIMEOUT_S, most_bytes=MOST_BYTES)
    text = document.body.decode("utf-8", "replace")
    leaked = context.credentials.redact(text) != text
    if document.problem:
        return Scrape(text=text, problem=f"{asked}: {document.problem}", leaked=leaked)
    try:
        return Scrape(Exposition.parse(text), text, leaked=leaked)
    except ExpositionError as error:
        return Scrape(text=text, problem=f"{asked}: {error}", leaked=leaked)
