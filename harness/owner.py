"""Who owns a container or a folder: a process on this machine, recognisable after it died."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the command's closing parenthesis


@dataclass(frozen=True)
class Owner:
    """A process: pids are reused, so its start time and the boot tell it from a later one.

    Attributes:
        machine: Host name, pid and time namespace; a process elsewhere can't be judged from here.
        boot: Boot id of the kernel.
        pid: Process id.
        start: Start time in clock ticks since boot.
    """

    machine: str
    boot: str
    pid: int
    start: str

    @classmethod
    def current(cls) -> Self:
        """This process."""
        pid = os.getpid()
        return cls(machine=_machine(), boot=_boot(), pid=pid, start=_start_time(pid))

    @classmethod
    def parse(cls, text: str) -> Self:
        """What ``str()`` gave; anything else is an owner that is never gone."""
        parts = text.split("|")
        if len(parts) == 4 and parts[2].isdecimal():  # noqa: PLR2004 - the four fields
            return cls(machine=parts[0], boot=parts[1], pid=int(parts[2]), start=parts[3])
        return cls(machine="", boot="", pid=0, start="")

    def __str__(self) -> str:
        return f"{self.machine}|{self.boot}|{self.pid}|{self.start}"

    def is_gone(self) -> bool:
        """Whether it surely runs no more."""
        if self.machine != _machine():
            return False
        return self.boot != _boot() or _start_time(self.pid) != self.start


def _machine() -> str:
    # In another time namespace the same process has another start time.
    return ":".join([os.uname().nodename, *map(_namespace, ("pid", "time"))])


def _namespace(kind: str) -> str:
    try:
        return str(Path(f"/proc/self/ns/{kind}").readlink())
    except OSError:
        return f"{kind}:unknown"


def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _start_time(pid: int) -> str:
    """Empty where there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[START_TIME_FIELD]
