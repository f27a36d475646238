"""Snapshots of what both services expose, taken between blocks and kept as files beside the samples."""

import math
import time

from harness.checks.interface import CheckContext
from harness.checks.latency.settings import MetricsSettings
from harness.checks.latency.snapshots import Snapshot
from harness.checks.telemetry.exposition import Exposition, ExpositionError
from harness.http_exchange import get_document, http_client
from harness.http_request import Request
from harness.targets.interface import Endpoint

FOLDER = "metrics"
TIMEOUT_S = 10.0
MOST_BYTES = 1024 * 1024
MOST_PROBLEM = 300


class SnapshotTaker:
    """Asks both sides for their metrics, none where `settings` is None; a failure is noted, never raised."""

    def __init__(self, context: CheckContext, settings: MetricsSettings | None) -> None:
        self._context = context
        self._settings = settings
        self._taken: list[Snapshot] = []
        self._next_s = -math.inf

    @property
    def taken(self) -> tuple[Snapshot, ...]:
        """All so far, in order of time."""
        return tuple(self._taken)

    def take_if_due(self) -> None:
        """Take one of each side, if the last are as old as the interval."""
        if time.monotonic() >= self._next_s:
            self.take()

    def take(self) -> None:
        """Take one of each side."""
        if self._settings is None:
            return
        self._next_s = time.monotonic() + self._settings.interval_s
        sides = {"reference": self._context.reference, "candidate": self._context.candidate}
        number = len({snapshot.file.rpartition("-")[0] for snapshot in self._taken})
        for side, endpoint in sides.items():
            if endpoint is not None:
                file = f"{FOLDER}/{number:04d}-{side}.txt"
                self._taken.append(self._ask(endpoint, self._settings, side, file))

    def _ask(self, endpoint: Endpoint, settings: MetricsSettings, side: str, file: str) -> Snapshot:
        credentials = self._context.credentials
        request = Request("GET", settings.path, credentials.headers(settings.credential))
        taken_s = time.time()
        with http_client(endpoint.base_url) as client:
            document = get_document(client, request, timeout_s=TIMEOUT_S, most_bytes=MOST_BYTES)
        text = document.body.decode("utf-8", "replace")
        problem = document.problem
        counters: dict[str, float | None] = {}
        if problem:
            text = text[: text.rfind("\n") + 1]  # what is cut may be a secret that is cut
        else:
            try:
                exposed = Exposition.parse(text)
                counters = {name: _finite(exposed.total(name)) for name in settings.counters}
            except ExpositionError as error:
                problem = str(error)
        path = self._context.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(credentials.redact(text), encoding="utf-8")
        return Snapshot(
            side=side,
            taken_s=taken_s,
            file=file,
            problem=credentials.redact(problem)[:MOST_PROBLEM],
            counters=counters,
        )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
