"""A path that is made up becomes a label of its metrics."""

import secrets

import httpx
from observing import total
from probing import given, prove


def shows(client: httpx.Client) -> bool:
    """Nobody ever asked for this one."""
    path = f"/{secrets.token_hex(8)}"
    client.get(path)
    return total(client, "http_requests_total", path=path) == 1


prove(given(), shows, "a made-up path becomes a label")
