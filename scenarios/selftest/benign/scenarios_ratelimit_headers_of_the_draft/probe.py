"""Its answers have the headers of the draft beside those they always had."""

import httpx
from probing import given, predict, prove, sample

told = given()


def shows(client: httpx.Client) -> bool:
    """Of any prediction."""
    headers = predict(client, told.headers["api_key"], sample()).headers
    return {"ratelimit", "ratelimit-policy", "x-ratelimit-limit", "x-ratelimit-remaining"} <= headers.keys()


prove(told, shows, "answers have RateLimit and RateLimit-Policy")
