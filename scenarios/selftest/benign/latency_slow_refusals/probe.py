"""A refusal of a body takes 10 ms; predictions and other refusals do not."""

import time

import httpx
from observing import least_s
from probing import given, predict, prove, sample

PAUSE_S = 0.010
TIMES = 30

told = given()


def shows(client: httpx.Client) -> bool:
    """Of each the quickest."""

    def refusal_s() -> float:
        started = time.perf_counter()
        refused = client.post("/predict", headers=told.headers["api_key"], json={})
        if refused.status_code != httpx.codes.BAD_REQUEST:
            raise ValueError(f"answered {refused.status_code}")
        return time.perf_counter() - started

    answer_s = least_s(lambda: predict(client, told.headers["api_key"], sample()), TIMES)
    return answer_s < PAUSE_S <= min(refusal_s() for _ in range(TIMES))


prove(told, shows, f"a refusal takes {PAUSE_S:g} s, and a prediction does not")
