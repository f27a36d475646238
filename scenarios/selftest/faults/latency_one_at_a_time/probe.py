"""Of predictions that come at one instant the last waits for milliseconds; one alone waits for nothing."""

from observing import at_one_instant_s
from probing import differs, given, sample

AT_ONCE = 6
WAITED_S = 0.004
ROUNDS = 20

told = given()


def shows(base_url: str) -> bool:
    """Of each the quickest try: noise makes none quicker."""

    def least_s(at_once: int) -> float:
        body = {"features": sample()}
        return min(at_one_instant_s(base_url, told.headers["api_key"], body, at_once) for _ in range(ROUNDS))

    return least_s(1) < WAITED_S <= least_s(AT_ONCE)


differs(
    shows(told.base_url),
    shows(told.healthy_url),
    f"of {AT_ONCE} predictions at one instant the last always takes {WAITED_S:g} s, and one alone does not",
)
