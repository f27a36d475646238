"""Services that keep what they are asked with."""

from typing import NoReturn

import httpx
from containers import held_bytes, prove_of_containers
from docker.models.containers import Container
from probing import Given, predict, sample

PADDING = "x" * 900_000


def prove_of_bodies(told: Given, times: int) -> NoReturn:
    """End by whether one holds at least half as much more memory as large bodies have bytes, and again."""
    least_bytes = times * len(PADDING) // 2

    def grew(container: Container, client: httpx.Client) -> bool:
        """They are refused, since no field is called so; kept they are all the same."""
        before = held_bytes(container)
        for _ in range(times):
            predict(client, told.headers["api_key"], sample(), padding=PADDING)
        return held_bytes(container) - before >= least_bytes

    def shows(container: Container, client: httpx.Client) -> bool:
        return grew(container, client) and grew(container, client)

    prove_of_containers(
        told, shows, f"it holds {least_bytes} bytes more after {times} requests, and after as many again"
    )
