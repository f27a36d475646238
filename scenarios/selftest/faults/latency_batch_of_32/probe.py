"""Every tenth batch of 32 rows takes 40 ms, and of batches with 31 rows none does."""

import httpx
from observing import regularly, seconds
from probing import given, predict_batch, prove, samples

ROWS = 32
EVERY = 10
STALLED_S = 0.035

told = given()


def shows(client: httpx.Client) -> bool:
    """The smaller batches are asked first."""

    def stalled(rows: int) -> list[bool]:
        inputs = samples(rows)
        return [
            seconds(lambda: predict_batch(client, told.headers["api_key"], inputs)) >= STALLED_S
            for _ in range(4 * EVERY)
        ]

    return not regularly(stalled(ROWS - 1), EVERY) and regularly(stalled(ROWS), EVERY)


prove(told, shows, f"each {EVERY}th batch of {ROWS} rows takes {STALLED_S:g} s, and none of {ROWS - 1}")
