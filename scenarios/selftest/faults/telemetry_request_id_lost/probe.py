"""No line of its log has the id that the answer has."""

import httpx
from containers import log_with, prove_of_containers
from docker.models.containers import Container
from probing import answered, given, predict, sample

told = given()


def shows(container: Container, client: httpx.Client) -> bool:
    """Though the log does tell of the request, under another id."""
    response = predict(client, told.headers["api_key"], sample(), request_id="the-clients-own")
    answered(response)
    log = log_with(container, response.headers["X-Request-ID"])
    return "the-clients-own" in log and response.headers["X-Request-ID"] not in log


prove_of_containers(told, shows, "the log has a line for the request, and not with the id of the answer")
