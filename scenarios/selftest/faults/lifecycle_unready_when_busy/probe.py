"""After fifty predictions within a second its readiness is 503, and a while later it is 200 again."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from probing import answered, given, predict, prove, sample

PREDICTIONS = 60
TRIES = 5
REST_S = 1.5

told = given()


def shows(client: httpx.Client) -> bool:
    """Several times, for a machine that is slow at times."""

    def one(_number: int) -> None:
        answered(predict(client, told.headers["api_key"], sample()))

    def unready_when_busy() -> bool:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(one, range(PREDICTIONS)))
        return client.get("/ready").status_code == httpx.codes.SERVICE_UNAVAILABLE

    busy = any(unready_when_busy() for _ in range(TRIES))
    time.sleep(REST_S)
    return busy and client.get("/ready").status_code == httpx.codes.OK


prove(told, shows, f"it is not ready right after {PREDICTIONS} predictions, and is when it had rest")
