"""What ``harness doctor`` says of this machine: cores, memory, disk, ports, files, noise."""

import math
import os
import resource
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.cli.diagnosis import Diagnosis, State, gib, held
from harness.cli.run import DASHBOARD_PORT

LEAST_CORES = 2
LEAST_FREE_BYTES = 5 * 1024**3
LEAST_MEMORY_BYTES = 4 * 1024**3
LEAST_FILES = 1024
HEARTBEATS = 200
HEARTBEAT_S = 0.005
CALM_OVERSHOOT_MS = 5.0
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def diagnose_machine() -> Iterator[Diagnosis]:
    """Look at everything that a load and its targets take, one after the other."""
    yield diagnose_cores(len(os.sched_getaffinity(0)), _text(CPU_QUOTA))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield held("memory", memory >= LEAST_MEMORY_BYTES, gib(memory), "4 GiB or more", State.WARN)
    free = shutil.disk_usage(Path.cwd()).free
    yield held("disk", free >= LEAST_FREE_BYTES, f"{gib(free)} free", "free 5 GiB for images", State.WARN)
    yield _loopback()
    yield diagnose_dashboard(DASHBOARD_PORT)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    fix = f"`ulimit -n {4 * LEAST_FILES}` before it: each connection of a load is one"
    yield held("files", files >= LEAST_FILES, f"{files} may be open at once", fix, State.WARN)
    yield _noise()


def diagnose_cores(cores: int, quota: str) -> Diagnosis:
    """The cores that this process may use.

    Args:
        cores: That it may run on.
        quota: Content of its control group's ``cpu.max`` (``"150000 100000"``, ``"max 100000"``), if any.
    """
    allowed_us, _, period_us = quota.strip().partition(" ")
    shares = [float(cores)]
    if allowed_us.isdecimal() and period_us.isdecimal() and int(period_us):
        shares.append(int(allowed_us) / int(period_us))
    usable = min(shares)
    limited = f", of which its control group allows {usable:g}" if usable < cores else ""
    fix = "use two cores or more: the load generator then gets one of its own"
    return held("cores", math.floor(usable) >= LEAST_CORES, f"{cores}{limited}", fix, State.WARN)


def diagnose_dashboard(port: int) -> Diagnosis:
    """Whether the port of the Locust web UI is free."""
    fix = "`harness run --dashboard --dashboard-port 0` takes any that is free"
    try:
        with socket.create_server(("127.0.0.1", port)):
            pass
    except OSError as error:
        return Diagnosis("dashboard", State.WARN, f"port {port}: {error.strerror}", fix)
    return Diagnosis("dashboard", State.OK, f"port {port} is free")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _loopback() -> Diagnosis:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
    except OSError as error:
        return Diagnosis("loopback", State.FAIL, str(error), "allow this user to listen on 127.0.0.1")
    return Diagnosis("loopback", State.OK, f"127.0.0.1 gives free ports (such as {port})")


def _noise() -> Diagnosis:
    """How late short sleeps end: what a latency measurement here has to live with."""
    late_ms = []
    for _ in range(HEARTBEATS):
        started = time.perf_counter()
        time.sleep(HEARTBEAT_S)
        late_ms.append((time.perf_counter() - started - HEARTBEAT_S) * 1000)
    p99_ms = float(np.quantile(late_ms, 0.99))
    seen = f"a {HEARTBEAT_S * 1000:g} ms sleep ends {p99_ms:.2f} ms late at p99"
    fix = "stop what else runs here; otherwise latency verdicts take longer or stay inconclusive"
    return held("noise", p99_ms <= CALM_OVERSHOOT_MS, seen, fix, State.WARN)
