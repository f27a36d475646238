"""An answer names another id than its request."""

from probing import answered, differs, given, predict, sample

told = given()
SENT = "the-clients-own"


def renamed(base_url: str) -> bool:
    """Whether a prediction has another id, and has one."""
    with told.client(base_url) as client:
        response = predict(client, {**told.headers["api_key"], "X-Request-ID": SENT}, sample())
    answered(response)
    return response.headers["X-Request-ID"] != SENT


differs(renamed(told.base_url), renamed(told.healthy_url), "another id than the client's")
