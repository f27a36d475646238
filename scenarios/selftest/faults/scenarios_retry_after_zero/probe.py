"""What the sixth request within a minute, of which five are allowed, is told of when to come back."""

from probing import given, predict, prove, sample

told = given()


def says_at_once(client):
    """Whether it is told to come back at once, and refused again."""
    answers = [predict(client, told.headers["rate_refusal"], sample()) for _ in range(7)]
    return [(each.status_code, each.headers.get("Retry-After")) for each in answers[5:]] == [(429, "0")] * 2


prove(told, says_at_once, "Retry-After is 0 where the next request is refused too")
