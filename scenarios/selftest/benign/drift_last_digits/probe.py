"""Its probabilities are by less than a millionth above and below those of the healthy one, and stay so."""

import httpx
from probing import answered, differs, given, predict_batch, samples

ROWS = 100
MOST = 1e-6

told = given()


def probabilities(client: httpx.Client) -> list[float]:
    """Of many rows."""
    predictions = answered(predict_batch(client, told.headers["api_key"], samples(ROWS)))["predictions"]
    return [value for prediction in predictions for value in prediction["probabilities"].values()]


with told.client(told.base_url) as entry, told.client(told.healthy_url) as healthy:
    right, asked = probabilities(healthy), probabilities(entry)
    apart = [a - b for a, b in zip(asked, right, strict=True)]
    differs(
        -MOST < min(apart) < 0 < max(apart) < MOST and probabilities(entry) == asked,
        probabilities(healthy) != right,
        f"probabilities are up to {MOST:g} above and below, the same each time",
    )
