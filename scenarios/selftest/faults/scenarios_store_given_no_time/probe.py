"""A few requests to two workers, both of which count in a store that is there."""

from probing import given, predict, prove, sample

REQUESTS = 8
UNAVAILABLE = 503

told = given()
# The kernel picks a worker for each connection.
KEY = told.headers["rate_at_once"] | {"Connection": "close"}


def gives_up(client):
    """Whether most of a few are told that they can't be counted."""
    answers = [predict(client, KEY, sample()) for _ in range(REQUESTS)]
    return sum(each.status_code == UNAVAILABLE for each in answers) > REQUESTS / 2


prove(told, gives_up, "requests that can be counted are answered 503")
