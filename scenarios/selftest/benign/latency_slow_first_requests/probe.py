"""Each of its first twenty requests takes 50 ms, and later ones do not."""

import httpx
from containers import Starter, prove_of_starts
from observing import least_s
from probing import given, predict, sample

FIRST = 20
SLOW_S = 0.045


def shows(start: Starter, _given: httpx.Client) -> bool:
    """Of a start of its own: the one that is given may have been asked."""
    with start() as own:
        if not own.ready():
            raise ChildProcessError("it ended before it was ready")
        with own.client() as client:

            def ask() -> httpx.Response:
                return predict(client, own.headers, sample())

            return least_s(ask, FIRST) >= SLOW_S > least_s(ask, FIRST)


prove_of_starts(given(), shows, f"the first {FIRST} predictions take {SLOW_S:g} s each, later ones do not")
