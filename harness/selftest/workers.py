"""Runs trials in processes of their own, several at once, and leaves none of them behind."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO

from pydantic import ValidationError

from harness.reports.text import one_line
from harness.selftest.model import Trial
from harness.selftest.worker import Job
from harness.targets.uninterrupted import uninterrupted

LOOKS_EVERY_S = 0.1
TIME_TO_CLEAN_UP_S = 60.0
_TAIL_BYTES = 16 * 1024


@dataclass(frozen=True)
class _Worker:
    """A process that makes a trial, and what it has written so far."""

    job: Job
    process: subprocess.Popen[bytes]
    out: IO[bytes]
    errors: IO[bytes]

    def trial(self) -> Trial | str:
        """What it found, once it has ended; or why there is nothing."""
        self.out.seek(0)
        try:
            return Trial.model_validate_json(self.out.read())
        except ValidationError:
            self.errors.seek(0)
            lines = self.errors.read()[-_TAIL_BYTES:].decode("utf-8", "replace").strip().splitlines()
            last = one_line(lines[-1]) if lines else "it wrote nothing"
            return f"the trial ended with {self.process.returncode}: {last}"

    def close(self) -> None:
        """Forget what it wrote."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.out.close()
        self.errors.close()


def run_all(
    jobs: Sequence[Job],
    at_once: int,
    started: Callable[[Job], None],
    finished: Callable[[Job, Trial | str], None],
) -> None:
    """Make every trial, at most ``at_once`` at the same time, in the order of ``jobs``.

    Args:
        jobs: What to make.
        at_once: Processes.
        started: Called as each begins.
        finished: Called as each ends, with its trial or, where it has none, with why.

    Raises:
        Interrupted: after every process has removed what it had started, and ended.
    """
    waiting = list(reversed(jobs))
    running: list[_Worker] = []
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                with uninterrupted():  # a signal between the start and the list would leave it behind
                    running.append(_start(waiting.pop()))
                started(running[-1].job)
            time.sleep(LOOKS_EVERY_S)
            for worker in [each for each in running if each.process.poll() is not None]:
                running.remove(worker)
                finished(worker.job, worker.trial())
                worker.close()
    finally:
        _end(running)


def _start(job: Job) -> _Worker:
    """Start it in a session of its own: a terminal's Ctrl-C is for us, and we tell it once."""
    out, errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "harness.selftest.worker"],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=errors,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # the same code as ours
        start_new_session=True,
    )
    if process.stdin is None:
        raise AssertionError("opened as a pipe above")
    with contextlib.suppress(BrokenPipeError):
        # Left open: its end would tell the worker that we are gone.
        process.stdin.write(job.model_dump_json().encode() + b"\n")
        process.stdin.flush()
    return _Worker(job, process, out, errors)


def _end(workers: Iterable[_Worker]) -> None:
    """Ask all to clean up and wait; what does not end is killed, and what it leaves the next run removes."""
    every = list(workers)
    for worker in every:
        worker.process.terminate()
    deadline = time.monotonic() + TIME_TO_CLEAN_UP_S
    for worker in every:
        try:
            worker.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()
        worker.close()
