"""What tests ask of this machine: a port, which processes run, what one says; each within bounded time."""

import contextlib
import select
import socket
import time
from pathlib import Path

KILL_TIMEOUT_S = 10


def free_port():
    """A loopback port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def parents():
    """Parent of each process that runs; a zombie does not."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(stat.parent.name)] = int(parent)
    return found


def descendants(pid):
    """All that a process started, and what those started."""
    started_by = parents()
    found = {pid}
    while more := {child for child, parent in started_by.items() if parent in found} - found:
        found |= more
    return found - {pid}


def alive_after(pids, seconds):
    """Those of some processes that still run after some seconds, given that time to end."""
    deadline = time.monotonic() + seconds
    while (running := set(pids) & parents().keys()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


def first_line(process, timeout_s=30):
    """The first line of a process's stdout, which is a pipe that nobody has read from."""
    ready, _, _ = select.select([process.stdout], [], [], timeout_s)
    assert ready, f"{process.args} said nothing within {timeout_s} s"
    return process.stdout.readline()


def kill(process):
    """Kill a child and take its exit status."""
    process.kill()
    process.wait(KILL_TIMEOUT_S)
