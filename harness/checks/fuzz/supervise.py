"""Runs the fuzz worker, bounded in time, and leaves nothing of it behind."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.checks.fuzz.protocol import Job, Message, parse
from harness.targets.scratch import ScratchFolder

GRACE_S = 10.0
TAIL_BYTES = 4096
# What changes the engine's behaviour from outside, and secrets that are none of the worker's business.
_DROPPED_PREFIXES = ("HYPOTHESIS_", "SCHEMATHESIS_", "GATE_", "PYTHON")
_CI_VARIABLES = frozenset(
    {
        "BUILDKITE",
        "CI",
        "CIRCLECI",
        "CIRRUS_CI",
        "CODEBUILD_BUILD_ID",
        "GITHUB_ACTIONS",
        "GITLAB_CI",
        "HEROKU_TEST_RUN_ID",
        "TEAMCITY_VERSION",
        "TF_BUILD",
        "__TOX_ENVIRONMENT_VARIABLE_ORIGINAL_CI",
        "bamboo.buildKey",
    }
)
_LOOPBACK = "127.0.0.1,localhost"


@dataclass(frozen=True)
class WorkerEnd:
    """How the worker ended.

    Attributes:
        killed: It was still running when its time, grace included, was over.
        errors: The tail of what it wrote to standard error.
    """

    exit_code: int
    killed: bool
    errors: str


def run_worker(job: Job, on_message: Callable[[Message], None]) -> WorkerEnd:
    """Give the worker its job and read its messages until it ends or its time is over."""
    with (
        ScratchFolder() as work,
        tempfile.TemporaryFile() as errors,
        _worker(work, errors.fileno()) as process,
    ):
        killed = threading.Event()

        def kill() -> None:
            killed.set()
            _kill_group(process)

        timer = threading.Timer(job.budget_s + job.shrink_budget_s + job.answer_timeout_s + GRACE_S, kill)
        timer.start()
        try:
            _converse(process, job, on_message)
        finally:
            timer.cancel()
        exit_code = process.wait()
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - TAIL_BYTES))
        return WorkerEnd(exit_code, killed.is_set(), errors.read().decode("utf-8", "replace"))


@contextlib.contextmanager
def _worker(work: Path, errors: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "harness.checks.fuzz.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=work,
        env=worker_environment(os.environ),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _kill_group(process)
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the same seed sends the same requests."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_DROPPED_PREFIXES) and name not in _CI_VARIABLES
    }
    without_proxy = kept.get("NO_PROXY") or kept.get("no_proxy")
    kept["NO_PROXY"] = kept["no_proxy"] = f"{without_proxy},{_LOOPBACK}" if without_proxy else _LOOPBACK
    return kept | {"PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _converse(process: subprocess.Popen[bytes], job: Job, on_message: Callable[[Message], None]) -> None:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("opened as pipes above")
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(job.model_dump_json().encode() + b"\n")
        process.stdin.flush()
    # Standard input stays open while the worker works: its end tells the worker that the gate is gone.
    for line in process.stdout:
        if line.endswith(b"\n"):
            on_message(parse(line))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
