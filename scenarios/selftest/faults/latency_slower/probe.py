"""Even the quickest of many predictions takes 9 ms: ten are added, by a clock of milliseconds."""

import httpx
from observing import least_s
from probing import given, predict, prove, sample

DELAY_S = 0.009

told = given()


def shows(client: httpx.Client) -> bool:
    """One after another."""
    return least_s(lambda: predict(client, told.headers["api_key"], sample())) >= DELAY_S


prove(told, shows, f"every prediction takes {DELAY_S:g} s")
