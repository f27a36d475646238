"""A request 4.2 seconds after the first of a window of five seconds, in which three are allowed."""

import time

from probing import given, predict, prove, sample

AFTER_S, WINDOW_S = 4.2, 5
told = given()


def ends_early(client):
    """Whether a used up quota is there again before its time."""
    key = told.headers["rate_retry"]
    before = time.monotonic()
    answers = [predict(client, key, sample()).status_code for _ in range(4)]
    time.sleep(max(0, before + AFTER_S - time.monotonic()))
    last = predict(client, key, sample()).status_code
    if answers != [200, 200, 200, 429] or time.monotonic() >= before + WINDOW_S:
        raise AssertionError(f"too slow, or not the quota that was expected: {answers}")
    return last == 200


prove(told, ends_early, "a quota is there again before its window is over")
