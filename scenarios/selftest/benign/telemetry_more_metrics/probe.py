"""It exposes a counter of its own, which rises."""

import httpx
from observing import total
from probing import answered, given, predict, prove, sample

told = given()


def shows(client: httpx.Client) -> bool:
    """With a label that nobody declared."""
    answered(predict(client, told.headers["api_key"], sample()))
    return total(client, "answers_total", kind="given", region="north") > 0


prove(told, shows, "answers_total is exposed")
