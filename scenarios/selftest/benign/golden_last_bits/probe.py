"""Its probabilities are the float32 next to those of the healthy one, or the same."""

import struct

import httpx
from probing import answered, differs, given, predict_batch, samples

ROWS = 100

told = given()


def probabilities(client: httpx.Client) -> list[float]:
    """Of many rows."""
    predictions = answered(predict_batch(client, told.headers["api_key"], samples(ROWS)))["predictions"]
    return [value for prediction in predictions for value in prediction["probabilities"].values()]


def place(value: float) -> int:
    """Of a positive float32 among all of them, in their order."""
    (number,) = struct.unpack("<i", struct.pack("<f", value))
    return int(number)


with told.client(told.base_url) as entry, told.client(told.healthy_url) as healthy:
    right = probabilities(healthy)
    apart = [abs(place(a) - place(b)) for a, b in zip(probabilities(entry), right, strict=True)]
    differs(
        0 < max(apart) <= 1,
        probabilities(healthy) != right,
        "probabilities are one unit in the last place away",
    )
