"""Every fiftieth prediction takes 40 ms; who asks meanwhile waits for nothing."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from observing import regularly, seconds
from probing import given, predict, prove, sample

EVERY = 50
STALLED_S = 0.035
INTO_IT_S = 0.010

told = given()


def shows(client: httpx.Client) -> bool:
    """Beside each prediction another question is asked."""

    def ask() -> httpx.Response:
        return predict(client, told.headers["api_key"], sample())

    stalled, waited = [], []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3 * EVERY):
            asked = pool.submit(seconds, ask)
            time.sleep(INTO_IT_S)
            waited.append(seconds(lambda: client.get("/openapi.json")) >= STALLED_S / 2)
            stalled.append(asked.result() >= STALLED_S)
    return regularly(stalled, EVERY) and not regularly(waited, EVERY)


prove(told, shows, f"each {EVERY}th prediction takes {STALLED_S:g} s, and who asks beside it does not wait")
