"""Whether a token that is refused is in the log."""

import secrets

from containers import log_with, prove_of_containers
from forging import bearer_of
from probing import given, predict, sample

told = given()


def logs(container, client):
    """Look for a text that nobody else sends, once the request's own line is there."""
    token = f"refused.{secrets.token_hex(16)}.token"
    answer = predict(client, bearer_of(token), sample())
    return answer.status_code == 401 and token in log_with(container, answer.headers["X-Request-ID"])


prove_of_containers(told, logs, "a token that is refused is in the log")
