"""It uses CPU time while nobody asks it anything."""

import time

import httpx
from containers import cpu_s, prove_of_containers
from docker.models.containers import Container
from probing import given

IDLE_S = 3.0
LEAST_SHARE = 0.04
"""A fifth is what it takes of a machine that has the time; on a busy one it gives way to all others."""


def shows(container: Container, _client: httpx.Client) -> bool:
    """Over a while."""
    started, before_s = time.monotonic(), cpu_s(container)
    time.sleep(IDLE_S)
    return cpu_s(container) - before_s >= LEAST_SHARE * (time.monotonic() - started)


prove_of_containers(given(), shows, f"{LEAST_SHARE:.0%} of a core are busy while nothing is asked")
