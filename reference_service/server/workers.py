"""Several worker processes: started, watched, started again when they die, and drained together.

Each worker is a process of its own with a session of its own, and listens on the same address. The kernel
picks a worker for each new connection by a hash of its addresses. One listening socket that all share would
spread less evenly: a worker that wakes first takes every connection that is there.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from reference_service.problems import EXIT_REFUSED
from reference_service.telemetry.logs import LOGGER

WORKER_ARGUMENT = "--worker-of"
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONG_LIFE_S = 60.0
WATCH_INTERVAL_S = 0.05
KILL_AFTER_S = 2.0
"""After the time for an orderly end, in which a worker cancels what is left."""


class Worker:
    """One place for a worker process, filled again when the process dies."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], lifeline: int) -> None:
        self._command = command
        self._environment = environment
        self._lifeline = lifeline
        self._pause_s = 0.0
        self._next_start = 0.0
        self._started = 0.0
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start_when_due(self) -> None:
        """Start the process if there is none and its pause is over."""
        if self.process is None and time.monotonic() >= self._next_start:
            self.process = subprocess.Popen(self._command, env=self._environment, pass_fds=(self._lifeline,))
            self._started = time.monotonic()
            self.starts += 1
            LOGGER.info("worker started", extra={"fields": {"pid": self.process.pid}})

    def ended(self) -> tuple[int, int] | None:
        """Return process id and exit code once, after the process ended, and plan the next start."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        pid, self.process = self.process.pid, None
        self._pause_s = pause_before_restart(time.monotonic() - self._started, self._pause_s)
        self._next_start = time.monotonic() + self._pause_s
        return pid, code


def pause_before_restart(lived_s: float, last_pause_s: float) -> float:
    """Double the pause from one death to the next, and begin anew after a long life."""
    if lived_s >= LONG_LIFE_S:
        return FIRST_PAUSE_S
    return min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * last_pause_s))


def supervise(
    environments: Sequence[Mapping[str, str]], *, shutdown_timeout_s: float, forget: Callable[[int], None]
) -> int:
    """Run one worker for each environment until a signal; return the exit code of the whole.

    Args:
        environments: The environment variables of each worker.
        shutdown_timeout_s: What a worker may take for an orderly end.
        forget: Called with the process id of each worker that ended.

    Returns:
        0 after SIGTERM or SIGINT and an orderly end of every worker, 3 if a worker's first start was
        refused, 1 if one had to be killed.
    """
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    lifeline, kept_open = os.pipe()  # its end tells a worker that the supervisor is gone, however it went
    command = [sys.executable, "-m", "reference_service", WORKER_ARGUMENT, str(lifeline)]
    workers = [Worker(command, environment, lifeline) for environment in environments]
    code = 0
    while not stopping:
        for worker in workers:
            worker.start_when_due()
            if ended := worker.ended():
                pid, exit_code = ended
                forget(pid)
                LOGGER.error("worker ended", extra={"fields": {"pid": pid, "exit_code": exit_code}})
                # Later, what one worker can't start with must not end the others, which have it.
                if exit_code == EXIT_REFUSED and worker.starts == 1:
                    code, stopping = EXIT_REFUSED, True
        time.sleep(WATCH_INTERVAL_S)
    running = [worker.process for worker in workers if worker.process]
    orderly = drain(running, timeout_s=shutdown_timeout_s + KILL_AFTER_S)
    os.close(kept_open)
    return code or (0 if orderly else 1)


def drain(processes: Sequence[subprocess.Popen[bytes]], *, timeout_s: float) -> bool:
    """End all processes with SIGTERM, and by force what is left after the time; tell whether none was."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + timeout_s
    orderly = True
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        if process.poll() is None:
            LOGGER.error("worker killed", extra={"fields": {"pid": process.pid}})
            process.kill()
            process.wait()
            orderly = False
    return orderly


def end_with_supervisor(lifeline: int) -> None:
    """End this worker in an orderly way when its supervisor is gone."""

    def watch() -> None:
        os.read(lifeline, 1)  # returns when the last writing end is closed: nothing is ever written
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
