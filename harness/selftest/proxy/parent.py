"""The parent's side of the proxy's process: starts it, gives it orders, and always ends it."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import IO, Self

from pydantic import BaseModel

from harness.errors import InfrastructureError
from harness.selftest.proxy.exchange import Service
from harness.selftest.proxy.protocol import Begin, Order

ANSWER_TIMEOUT_S = 30.0
TAIL_BYTES = 500
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


class ProxyProcess:
    """A context manager that runs :mod:`harness.selftest.proxy.process` in a process group of its own.

    The pipe to it is what keeps it: it ends when that closes, also because this process was killed. A signal
    at its parent's death would not do, as that comes at the end of the thread that started it.

    Args:
        begin: What it is; goes through the pipe, never on the command line or to disk.
        on_end: Called at its end with how often the fault was applied.
    """

    def __init__(self, begin: Begin, on_end: Callable[[int], None]) -> None:
        self._begin = begin
        self._on_end = on_end
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: dict[Service, int] = {}

    def __enter__(self) -> Self:
        """Start it."""
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.selftest.proxy.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(),
            start_new_session=True,
        )
        self._write(self._begin)
        return self

    def __exit__(self, kind: object = None, *_exc: object) -> None:
        """End it.

        Raises:
            InfrastructureError: it had ended by itself, so what was asked through it says nothing; not in the
                place of an interruption.
        """
        if self._process is None:
            return
        problem: InfrastructureError | None = None
        applied = 0
        try:
            applied = self._ask(Order())
        except InfrastructureError as error:
            problem = error
        finally:
            self._kill(self._process)
        if problem is None:
            self._on_end(applied)
        elif not (isinstance(kind, type) and not issubclass(kind, Exception)):
            raise problem

    def port(self, service: Service) -> int:
        """The loopback port from which it leads to a service.

        Raises:
            InfrastructureError: it gives no answer.
        """
        if service not in self._ports:
            self._ports[service] = self._ask(Order(listen=service))
        return self._ports[service]

    def require_running(self) -> None:
        """Make sure that who asks through it asks the service.

        Raises:
            InfrastructureError: it has ended.
        """
        if self._process is None or self._process.poll() is not None:
            raise InfrastructureError(f"the fault-injecting proxy ended: {self._last_words()}")

    def _ask(self, order: Order) -> int:
        self._write(order)
        stdout = self._running().stdout
        if stdout is None:
            raise AssertionError("opened as a pipe above")
        ready, _, _ = select.select([stdout], [], [], ANSWER_TIMEOUT_S)
        line = stdout.readline() if ready else b""
        if not line:
            raise InfrastructureError(f"the fault-injecting proxy gives no answer: {self._last_words()}")
        return int(line)

    def _write(self, line: BaseModel) -> None:
        stdin = self._running().stdin
        if stdin is None:
            raise AssertionError("opened as a pipe above")
        try:
            stdin.write(line.model_dump_json().encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise InfrastructureError(f"the fault-injecting proxy ended: {self._last_words()}") from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise AssertionError("entered before it is used")
        return self._process

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, self._errors):
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()

    def _last_words(self) -> str:
        end = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, end - TAIL_BYTES))
        return self._errors.read().decode("utf-8", "replace").strip() or "it wrote nothing"


def _environment() -> dict[str, str]:
    """What Python needs, and no secret of the run."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
