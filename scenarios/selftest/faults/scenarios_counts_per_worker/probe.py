"""Forty requests within a minute to a service of two workers, of which five are allowed."""

from probing import given, predict, prove, sample

told = given()
# The kernel picks a worker for each connection.
KEY = told.headers["rate_agree"] | {"Connection": "close"}


def answers_twice_as_many(client):
    """Whether each worker grants a quota."""
    answers = [predict(client, KEY, sample()) for _ in range(40)]
    return sum(each.status_code == 200 for each in answers) == 10


prove(told, answers_twice_as_many, "two workers answer ten requests of five")
