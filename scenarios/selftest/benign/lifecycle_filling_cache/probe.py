"""It holds more memory after two thousand requests, and hardly more after as many again."""

import httpx
from containers import held_bytes, prove_of_containers
from docker.models.containers import Container
from probing import given, predict, sample

TIMES = 2000
FIRST = TIMES * 8192 // 2

told = given()


def shows(container: Container, client: httpx.Client) -> bool:
    """The first fill it."""
    held = [held_bytes(container)]
    for _ in range(2):
        for _ in range(TIMES):
            predict(client, told.headers["api_key"], sample())
        held.append(held_bytes(container))
    empty, full, later = held
    return full - empty >= FIRST > 2 * (later - full)


prove_of_containers(
    told, shows, f"it holds {FIRST} bytes more after {TIMES} requests, and stays so after more"
)
