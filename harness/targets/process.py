"""The service of this checkout as a local process, where no container engine is to be had."""

import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from harness.config.service import ProcessSettings, ServiceSettings
from harness.errors import InfrastructureError, TargetError
from harness.model import Scope, TargetDescription
from harness.targets.control_group import PROC
from harness.targets.files import HandedFiles, filled_all
from harness.targets.interface import LOG_BYTES, Uncontained, tail
from harness.targets.log import LogSearch, search
from harness.targets.readiness import wait_until_ready
from harness.targets.scratch import ScratchFolder
from harness.targets.uninterrupted import uninterrupted
from harness.template import fill

LOOPBACK = "127.0.0.1"
PIECE_BYTES = 64 * 1024
CPUCLOCK_SCHED = 2
"""The kind of CPU clock that the kernel counts in nanoseconds (include/linux/posix-timers_types.h)."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")


class ProcessEndpoint(Uncontained):
    """A local process that answered its readiness path."""

    def __init__(
        self, process: subprocess.Popen[bytes], log: Path, base_url: str, description: TargetDescription
    ) -> None:
        self._process = process
        self._log = log
        self.base_url = base_url
        self.description = description

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def logs(self) -> str:
        """The last 256 KiB of what it wrote."""
        return _tail(self._log)

    def search_log(self, holds: Callable[[str], bool]) -> LogSearch:
        """In all that it wrote."""
        return search(_pieces(self._log), holds)

    def host_address(self) -> str:
        """Loopback."""
        return LOOPBACK

    def cpu_s(self) -> float | None:
        """CPU time of its session's processes and of their children that ended."""
        return sum(map(_used_s, self._members())) or None

    def memory_bytes(self) -> int | None:
        """Anonymous memory of its session's processes, where the kernel tells it (Linux)."""
        return sum(map(_anonymous_bytes, self._members())) or None

    def _members(self) -> Iterator[Path]:
        """The folders of its session's processes."""
        return (folder for folder in PROC.glob("[0-9]*") if _session(folder) == self._process.pid)


class ProcessTarget:
    """Runs ``[service.process]`` on a free loopback port.

    Args:
        folder: Where to run it.
        service: Where it answers and what it is handed; its templates are filled from ``values``.
        process: How to start it.
        values: Secrets and names for the templates.
        cpuset: Cores to bind it to (``0-2``), None for any.
        tls: Verifies it where it speaks TLS; None where it does not.
        until_ready: Whether entering waits until it is ready.
    """

    def __init__(
        self,
        *,
        folder: Path,
        service: ServiceSettings,
        process: ProcessSettings,
        values: Mapping[str, str],
        cpuset: str | None = None,
        tls: ssl.SSLContext | None = None,
        until_ready: bool = True,
    ) -> None:
        self._folder = folder
        self._service = service
        self._process = process
        self._values = values
        self._cpuset = cpuset
        self._tls = tls
        self._scheme = "https" if tls else "http"
        self._until_ready = until_ready
        self._stack = ExitStack()

    def __enter__(self) -> ProcessEndpoint:
        """Start and wait; on any failure everything made so far is removed first."""
        try:
            return self._start(self._stack)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *_exc: object) -> None:
        with uninterrupted():
            self._stack.close()

    def _start(self, stack: ExitStack) -> ProcessEndpoint:
        with uninterrupted():
            process, log, port = self._create(stack)
        base_url = f"{self._scheme}://{LOOPBACK}:{port}"
        if not self._until_ready:
            description = TargetDescription(kind=Scope.PROCESS, url=base_url)
            return ProcessEndpoint(process, log, base_url, description)
        startup_s = wait_until_ready(
            base_url,
            self._service.model_copy(update={"port": port}),
            died=lambda: (
                None if process.poll() is None else f"the process exited: exit code {process.returncode}"
            ),
            logs=lambda: _tail(log),
            tls=self._tls,
        )
        description = TargetDescription(kind=Scope.PROCESS, url=base_url, startup_s=round(startup_s, 3))
        return ProcessEndpoint(process, log, base_url, description)

    def _create(self, stack: ExitStack) -> tuple[subprocess.Popen[bytes], Path, int]:
        """The process, its log and its port."""
        settings = self._process
        files = stack.enter_context(HandedFiles(self._service.files, self._values))
        work = stack.enter_context(ScratchFolder())
        port = free_port()
        values = {
            **self._values,
            **{f"file.{name}": str(path) for name, path in files.items()},
            "host": LOOPBACK,
            "port": str(port),
            "python": sys.executable,
        }
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= filled_all(self._service.environment, values)
        environment |= filled_all(settings.environment, values)
        command = [fill(part, values) for part in settings.command]
        log = work / "log"
        return self._spawn(stack, command, environment, log), log, port

    def _spawn(
        self, stack: ExitStack, command: list[str], environment: dict[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        wrapped = [*_die_with_parent(), *_bind_to(self._cpuset), *command]
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(
                    wrapped,
                    cwd=self._folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise TargetError(f"the process could not be started: {error}") from error
        stack.callback(_stop, process, self._service.stop_timeout_s)
        return process


def _stat(folder: Path) -> list[str]:
    """The fields of a process from the third on, empty once it is gone (proc_pid_stat(5))."""
    try:
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()  # its name, in brackets, may hold anything


def _session(folder: Path) -> int | None:
    fields = _stat(folder)
    return int(fields[3]) if fields else None


def _used_s(folder: Path) -> float:
    """CPU time of a process and of those that it waited for, in seconds.

    Its own by its CPU clock, to the nanosecond (clock_getcpuclockid(3)); theirs in the ticks of its ``stat``.
    """
    fields = _stat(folder)
    if not fields:
        return 0.0
    with contextlib.suppress(OSError):
        own_s = time.clock_gettime((~int(folder.name) << 3) | CPUCLOCK_SCHED)
        return own_s + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _anonymous_bytes(folder: Path) -> int:
    try:
        status = (folder / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^RssAnon:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> list[str]:
    """The kernel kills the service when the harness is killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _bind_to(cpuset: str | None) -> list[str]:
    taskset = shutil.which("taskset")
    return [taskset, "--cpu-list", cpuset] if cpuset and taskset else []


def _stop(process: subprocess.Popen[bytes], timeout_s: float) -> None:
    """End the whole process group: asked first, killed after ``timeout_s``."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - LOG_BYTES - 1))
            return tail(stream.read(LOG_BYTES + 1))
    except OSError:
        return ""


def _pieces(log: Path) -> Iterator[bytes]:
    try:
        with log.open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                yield piece
    except OSError as error:
        raise InfrastructureError(f"the log of the process: {error}") from error
