"""While one prediction of forty is computed, another question has to wait; between them none has."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from observing import regularly, seconds
from probing import given, predict, prove, sample

EVERY = 40
INTO_IT_S = 0.010
WAITED_S = 0.02

told = given()


def shows(client: httpx.Client) -> bool:
    """The other question goes to the event loop alone."""
    waited = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(3 * EVERY):
            asked = pool.submit(predict, client, told.headers["api_key"], sample())
            time.sleep(INTO_IT_S)
            waited.append(seconds(lambda: client.get("/openapi.json")) >= WAITED_S)
            asked.result().raise_for_status()
    return regularly(waited, EVERY)


prove(told, shows, f"who asks beside each {EVERY}th prediction waits {WAITED_S:g} s")
