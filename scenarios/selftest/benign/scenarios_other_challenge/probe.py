"""Its refusals ask for credentials of another realm, in other words, with the same status and code."""

import httpx
from probing import given, predict, prove, sample


def shows(client: httpx.Client) -> bool:
    """A key that nobody has is refused."""
    refused = predict(client, {"X-API-Key": "nobody's"}, sample())
    error = refused.json()["error"]
    other = 'realm="scoring"' in refused.headers["WWW-Authenticate"] and error["message"].startswith(
        "Sorry, "
    )
    return other and (refused.status_code, error["code"]) == (401, "invalid_credentials")


prove(given(), shows, "a refusal has another challenge and other words")
