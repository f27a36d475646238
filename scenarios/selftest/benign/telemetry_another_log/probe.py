"""The line of a request in its log has pairs, and is no JSON."""

import httpx
from containers import log_with, prove_of_containers
from docker.models.containers import Container
from probing import answered, given, predict, sample

told = given()


def shows(container: Container, client: httpx.Client) -> bool:
    """By the id of the answer."""
    response = predict(client, told.headers["api_key"], sample())
    answered(response)
    request_id = response.headers["X-Request-ID"]
    [line] = [each for each in log_with(container, request_id).splitlines() if request_id in each]
    return line.startswith("level=") and f"request_id={request_id!r}" in line


prove_of_containers(told, shows, "a request's line in the log has pairs")
