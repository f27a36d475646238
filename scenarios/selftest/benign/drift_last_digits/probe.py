"""The same question is answered with other last digits, and no others."""

import httpx
from probing import answered, given, predict, prove, sample

TIMES = 10
MOST = 1e-6

told = given()


def shows(client: httpx.Client) -> bool:
    """One after another."""
    asked = [predict(client, told.headers["api_key"], sample()) for _ in range(TIMES)]
    malignant = [answered(each)["probabilities"]["malignant"] for each in asked]
    return 0 < max(malignant) - min(malignant) < MOST


prove(told, shows, f"{TIMES} answers to one question differ by less than {MOST:g}")
