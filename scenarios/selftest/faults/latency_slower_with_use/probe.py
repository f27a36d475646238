"""After 2,000 predictions even the quickest takes 14 ms, which are added; before that it does not."""

import httpx
from observing import least_s
from probing import given, predict, prove, sample

GOOD = 2000
DELAY_S = 0.014
FIRST = 30

told = given()


def shows(client: httpx.Client) -> bool:
    """The slow ones come last, so that only a few are asked."""

    def ask() -> httpx.Response:
        return predict(client, told.headers["api_key"], sample())

    early_s = least_s(ask, FIRST)
    least_s(ask, GOOD - FIRST)
    return early_s < DELAY_S <= least_s(ask, FIRST)


prove(told, shows, f"predictions take {DELAY_S:g} s after {GOOD} of them, and not before")
