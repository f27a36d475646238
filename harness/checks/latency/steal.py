"""How much CPU time the cores under load did not get: what their host gave to others (man 5 proc_stat)."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC_STAT = Path("/proc/stat")
_COUNTED = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in user and nice already."""


@dataclass(frozen=True, kw_only=True)
class CpuTicks:
    """Clock ticks of one core since the machine started, of them those that were stolen."""

    total: int
    stolen: int

    @classmethod
    def parse(cls, fields: Collection[str]) -> Self:
        """Return the counts of a line, without its name.

        Raises:
            ValueError: It has other fields.
        """
        ticks = [int(field) for field in fields][:_COUNTED]
        if len(ticks) < _COUNTED:
            raise ValueError(f"{len(ticks)} fields, it takes {_COUNTED}")
        return cls(total=sum(ticks), stolen=ticks[-1])


def read_ticks(*, path: Path = PROC_STAT, cores: Collection[int] | None = None) -> Mapping[int, CpuTicks]:
    """Return the counts of each core, empty where the system has none.

    Args:
        path: Where they are.
        cores: Which; None for those that services and generator are bound to, all that this process may use.
    """
    names = {f"cpu{core}": core for core in (os.sched_getaffinity(0) if cores is None else cores)}
    try:
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
        return {names[line[0]]: CpuTicks.parse(line[1:]) for line in lines if line and line[0] in names}
    except (OSError, ValueError):
        return {}


def steal_share(before: Mapping[int, CpuTicks], after: Mapping[int, CpuTicks]) -> float | None:
    """Return the largest share of a core's time that was stolen in between, None where none is known.

    Of all cores together, those that nobody used would hide it.
    """
    spent = [(before[core], after[core]) for core in before.keys() & after.keys()]
    shares = [
        (late.stolen - early.stolen) / (late.total - early.total)
        for early, late in spent
        if late.total > early.total
    ]
    return max(shares, default=None)
