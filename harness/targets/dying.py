"""Whether a target that closed a connection is about to end."""

import time

from harness.targets.interface import Endpoint

DEATH_SHOWS_S = 1.0


def dies(endpoint: Endpoint) -> bool:
    """Whether it ends within a second: a process that just closed its sockets still counts as alive.

    Raises:
        InfrastructureError: it ended with its engine.
    """
    give_up = time.monotonic() + DEATH_SHOWS_S
    while endpoint.alive():
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.1)
    return True
