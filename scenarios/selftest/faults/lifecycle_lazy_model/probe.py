"""It is ready, and its first prediction takes three seconds."""

import time

import httpx
from containers import Starter, prove_of_starts
from probing import answered, given, predict, sample

LOADING_S = 2.5


def shows(start: Starter, _given: httpx.Client) -> bool:
    """Of a start of its own: the one that is given may have been asked."""
    with start() as own:
        if not own.ready():
            raise ChildProcessError("it ended before it was ready")
        with own.client() as client:
            first_s = _seconds(client, own.headers)
            return first_s >= LOADING_S > _seconds(client, own.headers)


def _seconds(client: httpx.Client, headers: dict[str, str]) -> float:
    started = time.monotonic()
    answered(predict(client, headers, sample()))
    return time.monotonic() - started


prove_of_starts(
    given(), shows, f"the first prediction after it was ready takes {LOADING_S:g} s, the next does not"
)
