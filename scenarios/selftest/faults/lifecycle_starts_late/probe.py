"""It listens 15 seconds after its container was started; the healthy one takes ten on a busy machine."""

from datetime import datetime

import httpx
from containers import prove_of_containers
from docker.models.containers import Container
from probing import given

LATE_S = 15.0
LISTENING = '"message":"listening"'


def shows(container: Container, _client: httpx.Client) -> bool:
    """By the clock of the engine, which stamps each line of a log."""
    container.reload()
    started = datetime.fromisoformat(container.attrs["State"]["StartedAt"])
    lines = container.logs(timestamps=True).decode(errors="replace").splitlines()
    listening = next(datetime.fromisoformat(line.split()[0]) for line in lines if LISTENING in line)
    return (listening - started).total_seconds() >= LATE_S


prove_of_containers(given(), shows, f"it listens {LATE_S:g} s after its container was started")
