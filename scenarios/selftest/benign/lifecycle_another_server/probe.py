"""While its worker is gone a client is not refused: the arbiter has the port, and starts another worker."""

import httpx
from containers import prove_of_containers
from docker.models.containers import Container
from probing import given

PATIENCE_S = 25
KILL_WORKERS = """
import os, pathlib, signal
for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
    parent = stat.read_text().rpartition(")")[2].split()[1]
    if parent == "1":
        os.kill(int(stat.parent.name), signal.SIGKILL)
        print(stat.parent.name)
"""


def shows(container: Container, client: httpx.Client) -> bool:
    """The service by itself has no worker, and its only process cannot be killed from within."""
    killed = container.exec_run(["python3", "-c", KILL_WORKERS]).output.split()
    return len(killed) == 1 and client.get("/ready", timeout=PATIENCE_S).is_success


prove_of_containers(given(), shows, "a worker that is killed is started again, and nobody is refused")
