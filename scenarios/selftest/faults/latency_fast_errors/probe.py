"""Every twentieth prediction is answered 503."""

import httpx
from observing import regularly
from probing import given, predict, prove, sample

EVERY = 20

told = given()


def shows(client: httpx.Client) -> bool:
    """All of them are the same valid question."""
    statuses = [predict(client, told.headers["api_key"], sample()).status_code for _ in range(3 * EVERY)]
    return regularly([status == httpx.codes.SERVICE_UNAVAILABLE for status in statuses], EVERY)


prove(told, shows, f"each {EVERY}th prediction is answered 503")
