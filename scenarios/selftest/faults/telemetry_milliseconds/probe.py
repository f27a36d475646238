"""Its histogram of seconds adds up to more than the clients waited."""

import httpx
from observing import seconds, total
from probing import given, predict, prove, sample

SUM = "http_request_duration_seconds_sum"
TIMES = 20

told = given()


def shows(client: httpx.Client) -> bool:
    """A service can't take longer than those who wait for it."""
    before = total(client, SUM, path="/predict")
    waited_s = sum(seconds(lambda: predict(client, told.headers["api_key"], sample())) for _ in range(TIMES))
    return total(client, SUM, path="/predict") - before > waited_s


prove(told, shows, f"{SUM} rises by more seconds than {TIMES} predictions took")
