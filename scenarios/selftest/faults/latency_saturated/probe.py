"""Each prediction takes 12 ms of the one core, so that those that come together wait for each other."""

import httpx
from observing import least_s, together_s
from probing import given, predict, prove, sample

AT_ONCE = 8
COMPUTE_S = 0.012

told = given()


def shows(client: httpx.Client) -> bool:
    """Of each the quickest try."""

    def ask() -> httpx.Response:
        return predict(client, told.headers["api_key"], sample())

    return least_s(ask) >= COMPUTE_S and together_s(ask, AT_ONCE) >= AT_ONCE * COMPUTE_S


prove(told, shows, f"one prediction takes {COMPUTE_S:g} s and {AT_ONCE} at once {AT_ONCE} times as long")
