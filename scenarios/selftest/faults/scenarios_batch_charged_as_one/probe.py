"""Two batches of six rows within a minute, of which ten are allowed."""

from probing import given, predict_batch, prove, samples

told = given()


def answers_too_many(client):
    """Whether both are answered."""
    batches = [predict_batch(client, told.headers["rate_rows"], samples(6)) for _ in range(2)]
    return [each.status_code for each in batches] == [200, 200]


prove(told, answers_too_many, "twelve rows of ten are answered")
