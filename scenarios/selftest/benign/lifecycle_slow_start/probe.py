"""Before it is ready it says for a while that it is not, where the healthy one does not answer yet."""

import time
from contextlib import suppress

import httpx
from containers import POLL_S, READY_S, Own, Starter, prove_of_starts
from probing import given


def shows(start: Starter, _given: httpx.Client) -> bool:
    """Of a start of its own."""
    with start() as own:
        return httpx.codes.SERVICE_UNAVAILABLE in _until_ready(own)


def _until_ready(own: Own) -> set[int]:
    """The statuses of its readiness."""
    statuses: set[int] = set()
    give_up = time.monotonic() + READY_S
    with own.client(timeout=2) as client:
        while httpx.codes.OK not in statuses and time.monotonic() < give_up:
            with suppress(httpx.HTTPError):
                statuses.add(client.get("/ready").status_code)
            time.sleep(POLL_S)
    return statuses


prove_of_starts(given(), shows, "its readiness is 503 before it is 200")
