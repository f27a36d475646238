"""Which families and checks a command line names."""

import difflib
from collections.abc import Sequence

from harness.checks.table import CHECKS
from harness.errors import UsageError
from harness.model import Family


def selection(names: Sequence[str]) -> tuple[frozenset[Family], frozenset[str]]:
    """The families and the checks that ``--only`` names; a family that is named itself is kept whole.

    Raises:
        UsageError: for a name of neither.
    """
    ids = {check.id: check.family for check in CHECKS}
    whole = {Family(name) for name in names if name in set(Family)}
    for name in names:
        if name not in set(Family) and name not in ids:
            near = difflib.get_close_matches(name, [*(family.value for family in Family), *ids], n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"--only {name}: no such family or check",
                fix=f"{meant}families: {', '.join(Family)}; the report names the checks",
            )
    checks = {name for name in names if name in ids and ids[name] not in whole}
    return frozenset(whole | {ids[name] for name in checks}), frozenset(checks)


def selectable(begun: str) -> list[str]:
    """What ``--only`` takes that begins so, for shell completion: families, then checks."""
    return [name for name in (*Family, *(check.id for check in CHECKS)) if name.startswith(begun)]
