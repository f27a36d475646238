"""What the kernel counts of a control group, read from its files in some ten microseconds.

The file names and units are those of the kernel's documentation: admin-guide/cgroup-v1/cpuacct.rst and
memory.rst, admin-guide/cgroup-v2.rst.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")
ESCAPED = re.compile(r"\\([0-7]{3})")
UNIFIED = ""
"""The name of the v2 hierarchy in ``/proc/PID/cgroup``, where those of v1 have their controllers'."""


@dataclass(frozen=True)
class ControlGroup:
    """The files of one control group; None for what this machine does not show.

    Attributes:
        cpu: ``cpuacct.usage`` (v1, nanoseconds) or ``cpu.stat`` (v2, ``usage_usec``).
        memory: ``memory.stat`` (v1, ``total_rss``; v2, ``anon``).
    """

    cpu: Path | None = None
    memory: Path | None = None

    @classmethod
    def of(cls, pid: int, named: str, *, proc: Path = PROC) -> Self:
        """The group of a process, if its path has ``named`` in it.

        An engine in a virtual machine tells process ids of another kernel: there the group of that number is
        somebody else's, and has another name.
        """
        try:
            groups = _groups((proc / str(pid) / "cgroup").read_text())
            mounted = _mounted((proc / "self" / "mountinfo").read_text())
        except OSError:
            return cls()
        folders = {
            controller: folder
            for controller, path in groups.items()
            if named in path and (folder := _folder(path, mounted.get(controller))) is not None
        }
        return cls(
            cpu=_file(folders, ("cpuacct", "cpuacct.usage"), (UNIFIED, "cpu.stat")),
            memory=_file(folders, ("memory", "memory.stat"), (UNIFIED, "memory.stat")),
        )

    def cpu_s(self) -> float | None:
        """CPU time of all that ever ran in it, in seconds; None where it is not told, or it is gone."""
        text = _read(self.cpu)
        if text is None:
            return None
        told = _numbers(text)
        if "usage_usec" in told:
            return told["usage_usec"] / 1e6
        return int(text) / 1e9 if text.strip().isdecimal() else None

    def memory_bytes(self) -> int | None:
        """Anonymous memory that it holds; None likewise."""
        text = _read(self.memory)
        if text is None:
            return None
        told = _numbers(text)
        return told.get("anon", told.get("total_rss"))


def _read(path: Path | None) -> str | None:
    try:
        return None if path is None else path.read_text()
    except OSError:
        return None


def _numbers(text: str) -> dict[str, int]:
    """Lines of a name and a number."""
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}  # noqa: PLR2004 - a pair


def _groups(text: str) -> dict[str, str]:
    """The path of each controller's group, by lines such as ``2:cpu,cpuacct:/docker/ID``."""
    lines = (line.split(":", 2) for line in text.splitlines())
    return {controller: path for _, controllers, path in lines for controller in controllers.split(",")}


def _mounted(text: str) -> dict[str, tuple[str, Path]]:
    """Where each controller's hierarchy is mounted, and which group is there (proc_pid_mountinfo(5))."""
    found: dict[str, tuple[str, Path]] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, at = (ESCAPED.sub(lambda code: chr(int(code[1], 8)), field) for field in before.split(" ")[3:5])
        for controller in {"cgroup": options.split(","), "cgroup2": [UNIFIED]}.get(kind, []):
            found.setdefault(controller, (root, Path(at)))
    return found


def _folder(path: str, mounted: tuple[str, Path] | None) -> Path | None:
    """The folder of a group, None if it is not below what is mounted."""
    if mounted is None:
        return None
    root, at = mounted
    below = path if root == "/" else path.removeprefix(root)
    if ".." in Path(path).parts or (root != "/" and below == path):
        return None
    return at / below.lstrip("/")


def _file(folders: Mapping[str, Path], *names: tuple[str, str]) -> Path | None:
    """The first that is there, of controllers and the names of their files."""
    paths = (folders[controller] / name for controller, name in names if controller in folders)
    return next((path for path in paths if path.is_file()), None)
