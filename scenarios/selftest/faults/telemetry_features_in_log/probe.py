"""Its log has a number that was asked about."""

import secrets

import httpx
from containers import log_with, prove_of_containers
from docker.models.containers import Container
from probing import answered, given, predict, sample

told = given()


def shows(container: Container, client: httpx.Client) -> bool:
    """One of many digits; the log is read once the request's own line is there."""
    radius = 17 + secrets.randbelow(10**9) / 10**9
    response = predict(client, told.headers["api_key"], {**sample(), "mean_radius": radius})
    answered(response)
    return repr(radius) in log_with(container, response.headers["X-Request-ID"])


prove_of_containers(told, shows, "the log has a number that was asked about")
