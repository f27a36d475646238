"""When to come back, in the second half of a window of two seconds in which five are allowed."""

import time

from probing import given, predict, prove, sample

told = given()


def says_two_seconds(client):
    """Whether it is told to wait two seconds, of which more than one is over."""
    answers = []
    for wait_s in (0, 0, 0, 0, 0, 1.2):
        time.sleep(wait_s)
        answers.append(predict(client, told.headers["rate_boundary"], sample()))
    if answers[-1].status_code != 429:
        raise AssertionError("too slow: the window is over")
    return answers[-1].headers["Retry-After"] == "2"


prove(told, says_two_seconds, "Retry-After is the whole window where half of it is over")
