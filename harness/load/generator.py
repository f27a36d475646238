"""The parent's side of the load generator: starts the worker, asks for blocks, and always ends it."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import HarnessError
from harness.load.clock import WorkerClock
from harness.load.plan import LoadPlan
from harness.load.protocol import Begin, BlockDone, BlockRequest, Cluster, Failed, Ready, WebAddress
from harness.load.samples import Samples

START_TIMEOUT_S = 30.0
SLACK_S = 10.0
SAVED_PER_S = 50_000.0
"""Samples that are at least sent, compressed and written in a second."""
LOG_FILE = "load-generator.log"

M = TypeVar("M", Ready, BlockDone)


class GeneratorError(HarnessError):
    """The load generator failed; says nothing of the service under load."""


class LoadGenerator:
    """A context manager that runs `harness.load.worker` in a process group of its own.

    Attributes:
        ready: What the worker said after warming up.
        clocks: Of a cluster's workers during the last block.

    Args:
        plan: The load. Its secrets go through a pipe, never on the command line or to disk.
        folder: An existing folder for the worker's log and each block's samples.
        web: Where the worker shows the load live; it costs the generator CPU time.
        cluster: Other generators that send the load instead.
    """

    ready: Ready
    clocks: tuple[WorkerClock, ...]

    def __init__(
        self,
        plan: LoadPlan,
        folder: Path,
        *,
        web: WebAddress | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._web = web
        self._cluster = cluster
        self._buffer = b""

    def __enter__(self) -> Self:
        """Start the worker and wait until it has warmed up.

        Raises:
            GeneratorError: It did not start, or not in time.
        """
        with (self._folder / LOG_FILE).open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "harness.load.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._write(Begin(plan=self._plan, web=self._web, cluster=self._cluster))
            warmup_s = self._plan.warmup_requests / self._plan.rate_per_s
            gathering_s = 0.0 if self._cluster is None else self._cluster.wait_s
            self.ready = self._answer(Ready, START_TIMEOUT_S + gathering_s + self._time_for(warmup_s))
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the worker, whatever it does."""
        self._kill()

    def run_block(self, block: int, *, last: bool = False) -> Samples:
        """Have one block sent and return its samples when the last answer has come or timed out.

        Args:
            block: Its number.
            last: Whether no other will be asked for.

        Raises:
            GeneratorError: The worker failed, died, or took longer than the block can take.
        """
        path = self._folder / f"block-{block:04d}.npz"
        self._write(BlockRequest(block=block, path=str(path.absolute()), last=last))
        self.clocks = self._answer(BlockDone, self._time_for(self._plan.block_s)).clocks
        try:
            samples = Samples.load(path)
        except (OSError, ValueError) as error:
            raise GeneratorError(f"the load generator's samples cannot be read: {error}") from error
        path.unlink()
        return samples

    def _time_for(self, load_s: float) -> float:
        # Twice: Poisson arrivals may take longer than their mean, and a busy machine is late.
        requests = load_s * self._plan.most_per_s * len(self._plan.sides)
        return 2.0 * load_s + self._plan.timeout_s + requests / SAVED_PER_S + SLACK_S

    def _write(self, message: BaseModel) -> None:
        try:
            pipe = _present(self._process.stdin)
            pipe.write(message.model_dump_json().encode() + b"\n")
            pipe.flush()
        except OSError as error:
            raise GeneratorError(f"the load generator ended: {self._log()}") from error

    def _answer(self, kind: type[M], timeout_s: float) -> M:
        line = self._read_line(time.monotonic() + timeout_s)
        if line is None:
            raise GeneratorError(f"the load generator gave no answer in {timeout_s:.0f} s: {self._log()}")
        if not line:
            raise GeneratorError(f"the load generator ended: {self._log()}")
        try:
            return kind.model_validate_json(line)
        except ValidationError:
            raise GeneratorError(f"the load generator failed: {_failure(line)}") from None

    def _read_line(self, deadline_s: float) -> bytes | None:
        """Return a line, b"" at the end of the output, or None when the deadline passed."""
        stdout = _present(self._process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, deadline_s - time.monotonic())):
                    return None
                if not (data := os.read(stdout.fileno(), 65536)):
                    return b""
                self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                _present(pipe).close()

    def _log(self) -> str:
        text = (self._folder / LOG_FILE).read_text(encoding="utf-8", errors="replace").strip()
        return text[-500:] or "it wrote nothing"


def _present(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise GeneratorError("the load generator was started without pipes")
    return pipe


def _failure(line: bytes) -> str:
    try:
        return Failed.model_validate_json(line).message
    except ValidationError:
        return repr(line[:200])
