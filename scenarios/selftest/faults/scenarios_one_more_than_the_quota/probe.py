"""Eight requests within a minute, of which five are allowed."""

from probing import given, predict, prove, sample

told = given()


def answers_six(client):
    """Whether it is one too many."""
    answers = [predict(client, told.headers["rate_countdown"], sample()) for _ in range(8)]
    return [each.status_code for each in answers] == [200] * 6 + [429] * 2


prove(told, answers_six, "six requests of five are answered")
