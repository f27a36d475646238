"""It asks for a wait that is more than a second longer than the rest of the window."""

import time

import httpx
from probing import given, predict, prove, sample

WINDOW_S = 5
INTO_IT_S = 1.25
QUOTA = 3

told = given()


def shows(client: httpx.Client) -> bool:
    """At a time at which the rest, rounded up, and half a second more, rounded up, are not the same."""

    def ask() -> httpx.Response:
        return predict(client, told.headers["rate_retry"], sample())

    while ask().headers["X-RateLimit-Remaining"] != str(QUOTA - 1):
        time.sleep(1)
    opened = time.monotonic()
    time.sleep(INTO_IT_S)
    refused = [each for each in (ask() for _ in range(QUOTA)) if each.status_code == 429]
    rest_s = WINDOW_S - (time.monotonic() - opened)
    return int(refused[-1].headers["Retry-After"]) - rest_s > 1


prove(told, shows, "Retry-After is more than a second longer than the window")
