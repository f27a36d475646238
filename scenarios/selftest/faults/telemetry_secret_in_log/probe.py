"""Its log has the key of a caller."""

import httpx
from containers import log_with, prove_of_containers
from docker.models.containers import Container
from probing import answered, given, predict, sample

told = given()


def shows(container: Container, client: httpx.Client) -> bool:
    """The log is read once the request's own line is there."""
    [key] = told.headers["api_key"].values()
    response = predict(client, told.headers["api_key"], sample())
    answered(response)
    return key in log_with(container, response.headers["X-Request-ID"])


prove_of_containers(told, shows, "the log has the key of a caller")
