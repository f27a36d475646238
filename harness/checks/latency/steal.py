"""How much of its CPU time the gate's machine did not get: what its host gave to others (man 5 proc_stat)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC_STAT = Path("/proc/stat")
_COUNTED = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user and nice already."""


@dataclass(frozen=True, kw_only=True)
class CpuTicks:
    """Clock ticks of all cores since the machine started, of them those that were stolen."""

    total: int
    stolen: int

    @classmethod
    def read(cls, path: Path = PROC_STAT) -> Self | None:
        """Return the counts, None where the system has none."""
        try:
            fields = path.read_text(encoding="ascii").split("\n", 1)[0].split()
            ticks = [int(field) for field in fields[1 : 1 + _COUNTED]]
        except (OSError, ValueError):
            return None
        if fields[:1] != ["cpu"] or len(ticks) < _COUNTED:
            return None
        return cls(total=sum(ticks), stolen=ticks[-1])


def steal_share(before: CpuTicks | None, after: CpuTicks | None) -> float | None:
    """Return the share of all cores' time that was stolen in between, None where it is not known."""
    if before is None or after is None or after.total <= before.total:
        return None
    return (after.stolen - before.stolen) / (after.total - before.total)
