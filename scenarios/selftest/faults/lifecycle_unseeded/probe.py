"""Another start of its image predicts other probabilities for the same input."""

import httpx
from containers import Starter, prove_of_starts
from probing import answered, given, predict_batch, samples

ROWS = 20

told = given()


def shows(start: Starter, client: httpx.Client) -> bool:
    """The one start is the given service, the other of its own."""
    with start() as own:
        if not own.ready():
            raise ChildProcessError("it ended before it was ready")
        with own.client() as again:
            one = answered(predict_batch(client, told.headers["api_key"], samples(ROWS)))
            other = answered(predict_batch(again, own.headers, samples(ROWS)))
            return bool(one["predictions"] != other["predictions"])


prove_of_starts(told, shows, f"two starts differ in the probabilities of {ROWS} rows")
