"""No counter of refusals rises when a quota refuses."""

import httpx
from observing import total
from probing import given, predict, prove, sample

COUNTER = "rate_limited_total"
QUOTA = 5

told = given()


def shows(client: httpx.Client) -> bool:
    """The key has a quota of its own, of five in a minute."""
    before = total(client, COUNTER)
    statuses = [predict(client, told.headers["rate_burst"], sample()).status_code for _ in range(QUOTA + 1)]
    return httpx.codes.TOO_MANY_REQUESTS in statuses and total(client, COUNTER) == before


prove(told, shows, f"a quota refuses, and {COUNTER} stays the same")
