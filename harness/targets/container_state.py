"""What an engine and the kernel say of a container: whether it runs, what it wrote, holds and runs."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker.errors
import requests

from harness.errors import InfrastructureError
from harness.targets.control_group import PROC, ControlGroup
from harness.targets.interface import RunningProcess, tail

POLL_S = 0.02


@contextlib.contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise InfrastructureError(f"container engine: {error}") from error


def death(container: Any) -> str | None:
    """Why a container runs no more, None while it runs.

    Raises:
        InfrastructureError: when the engine does not answer.
    """
    with _asking():
        try:
            container.reload()
        except docker.errors.NotFound:
            return "the container was removed by someone else"
    state = container.attrs["State"]
    if state["Running"]:
        return None
    cause = (
        "out of memory" if state.get("OOMKilled") else state.get("Error") or f"exit code {state['ExitCode']}"
    )
    return f"the container exited: {cause}"


def container_logs(container: Any) -> str:
    """The last 256 KiB of output, as text; empty when the engine can't give it."""
    try:
        raw = container.logs(stdout=True, stderr=True, tail=5000)
    except (docker.errors.DockerException, requests.RequestException):
        return ""
    return tail(bytes(raw))


def log_entries(container: Any) -> Iterator[bytes]:
    """All of its output that the engine still has.

    Raises:
        InfrastructureError: when the engine does not answer.
    """
    with _asking():
        yield from container.logs(stdout=True, stderr=True, stream=True, follow=False)


def exit_code(container: Any) -> int | None:
    """With which it ended, None while it runs.

    Raises:
        InfrastructureError: when the engine does not answer.
    """
    with _asking():
        container.reload()
    state = container.attrs["State"]
    return None if state["Running"] else int(state["ExitCode"])


def terminate(container: Any, timeout_s: float, delivered: Callable[[], None]) -> int | None:
    """Send SIGTERM to its first process and wait for its end; None when it still runs after ``timeout_s``.

    ``delivered`` is called when the engine has sent it.

    Raises:
        InfrastructureError: when the engine does not answer, or the container had ended before.
    """
    with _asking():
        container.kill(signal="SIGTERM")
    delivered()
    give_up = time.monotonic() + timeout_s
    while (code := exit_code(container)) is None and time.monotonic() < give_up:
        time.sleep(POLL_S)
    return code


def control_group(container: Any) -> ControlGroup:
    """Its files, empty where the engine's control groups are not this machine's."""
    return ControlGroup.of(container.attrs["State"]["Pid"], container.id)


def engine_cpu_s(container: Any) -> float | None:
    """CPU time of its control group in seconds, as the engine tells it, which may take a second.

    Raises:
        InfrastructureError: when the engine does not answer.
    """
    with _asking():
        return used_cpu_s(container.stats(stream=False, one_shot=True))


def engine_memory_bytes(container: Any) -> int | None:
    """Anonymous memory of its control group, likewise.

    Raises:
        InfrastructureError: when the engine does not answer.
    """
    with _asking():
        return anonymous_bytes(container.stats(stream=False, one_shot=True))


def used_cpu_s(stats: Mapping[str, Any]) -> float | None:
    """What the engine's statistics say of CPU time, in seconds; None of a container that does not run."""
    used_ns = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage")
    return used_ns / 1e9 if used_ns else None


def anonymous_bytes(stats: Mapping[str, Any]) -> int | None:
    """What the engine's statistics say of anonymous memory, by control groups v2 or v1; None if nothing."""
    detail = stats.get("memory_stats", {}).get("stats") or {}
    return detail.get("anon", detail.get("total_rss"))


def processes(container: Any) -> tuple[RunningProcess, ...]:
    """All processes in it.

    Raises:
        InfrastructureError: when the engine does not tell.
    """
    with _asking():
        rows = container.top(ps_args="-eo pid,uid,comm")["Processes"]
    return tuple(
        _as_the_kernel_says(container.id, RunningProcess(int(pid), command, (int(uid),), None))
        for pid, uid, command in rows
    )


def _as_the_kernel_says(container_id: str, listed: RunningProcess) -> RunningProcess:
    """With what only ``/proc`` tells, where the engine's processes are in this machine's."""
    folder = PROC / str(listed.pid)
    try:
        if container_id not in (folder / "cgroup").read_text():
            return listed  # another process, of another kernel than the engine's
        text = (folder / "status").read_text()
    except OSError:
        return listed
    status = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return RunningProcess(
        listed.pid, listed.command, tuple(map(int, status["Uid"].split())), int(status["CapPrm"], 16)
    )
