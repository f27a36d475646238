"""The first prediction after it said that it is ready is answered 503."""

import httpx
from containers import Starter, prove_of_starts
from probing import given, predict, sample


def shows(start: Starter, _given: httpx.Client) -> bool:
    """Of a start of its own: the one that is given has been ready for long."""
    with start() as own:
        if not own.ready():
            raise ChildProcessError("it ended before it was ready")
        with own.client() as client:
            return predict(client, own.headers, sample()).status_code == httpx.codes.SERVICE_UNAVAILABLE


prove_of_starts(given(), shows, "the first prediction after it was ready is answered 503")
