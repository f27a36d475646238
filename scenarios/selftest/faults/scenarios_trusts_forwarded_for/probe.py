"""Eight requests within a minute, of which five are allowed, each with an address of its own in a header."""

from probing import given, predict, prove, sample

told = given()
KEY = told.headers["rate_spoof"]


def answers_all(client):
    """Whether each address has a quota of its own."""
    answers = [predict(client, KEY | {"X-Forwarded-For": f"192.0.2.{i}"}, sample()) for i in range(8)]
    return all(each.status_code == 200 for each in answers)


prove(told, answers_all, "who names another address has another quota")
