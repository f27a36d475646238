"""Its probabilities have at most ten digits; those of the healthy one have up to twenty."""

import json

import httpx
from probing import answered, given, predict_batch, prove, samples

ROWS = 50
DIGITS = 10

told = given()


def shows(client: httpx.Client) -> bool:
    """Digits from the first that is not 0."""
    answer = predict_batch(client, told.headers["api_key"], samples(ROWS))
    answered(answer)
    predictions = json.loads(answer.text, parse_float=str, parse_int=str)["predictions"]
    written = [value for prediction in predictions for value in prediction["probabilities"].values()]
    return max(len(_digits(text)) for text in written) <= DIGITS


def _digits(text: str) -> str:
    mantissa = text.lower().partition("e")[0]
    return mantissa.replace(".", "").lstrip("0")


prove(told, shows, f"probabilities have at most {DIGITS} digits")
