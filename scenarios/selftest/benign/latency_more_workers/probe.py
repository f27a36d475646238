"""Two processes answer, and what either counts is in the metrics of both."""

from concurrent.futures import ThreadPoolExecutor

import httpx
from containers import processes, prove_of_containers
from docker.models.containers import Container
from observing import total
from probing import given

AT_ONCE = 16
ROUNDS = 10

told = given()


def shows(container: Container, client: httpx.Client) -> bool:
    """Each request on a connection of its own, so that either worker may take it."""

    def ask(_number: int) -> None:
        with told.client(str(client.base_url)) as alone:
            alone.get("/health").raise_for_status()

    before = total(client, "http_requests_total", path="/health")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, range(AT_ONCE * ROUNDS)))
    counted = total(client, "http_requests_total", path="/health") - before
    log = container.logs().decode(errors="replace").splitlines()
    workers = {'"pid":' in line for line in log if '"path":"/health"' in line}
    return processes(container) > 1 and workers == {True, False} and counted == AT_ONCE * ROUNDS


prove_of_containers(told, shows, "two workers answer and count together")
