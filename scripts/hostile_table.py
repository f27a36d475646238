"""Gate hostile candidates and write what became of each into docs/security.md.

Usage: ``hostile_table.py [PYTEST ARGUMENTS...]``. Runs the tests of ``tests/hostile``, the slow ones too, or
those that the arguments choose. The table has a line for each case, that of its last run; it is left as it is
when a test fails.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tables_in_pages import markers, put, rows, table_in

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "security.md"
TESTS = ROOT / "tests" / "hostile"
ROWS = "HARNESS_HOSTILE_ROWS"
PLACE = markers("hostile candidates", "hostile_table.py")
HEADER = "| case | declared | verdict | seconds | peak MiB | left behind |\n|---|---|---|---|---|---|\n"


def named(case: str) -> str:
    """A case as its line names it."""
    return case.replace("_", " ")


def table(seen: Sequence[dict[str, Any]], before: str = "") -> str:
    """The cases as Markdown, by their names; one that did not run keeps its line of ``before``."""
    lines = rows(before)
    for row in seen:
        case = named(row["case"])
        lines[case] = (
            f"| {case} | {row['declared']} | {row['verdict']} | {row['seconds']:.0f} | "
            f"{row['peak_mib']} | {row['leftovers'] or 'nothing'} |\n"
        )
    return HEADER + "".join(lines[case] for case in sorted(lines))


def main(arguments: Sequence[str]) -> int:
    """Run the tests; pytest's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "rows"
        told.touch()
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", str(TESTS), "-p", "no:randomly", *arguments],
            cwd=ROOT,
            env={**os.environ, ROWS: str(told)},
            check=False,
        )
        seen = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    if ran.returncode == 0 and seen:
        put(PAGE, PLACE, table(seen, table_in(PAGE.read_text(encoding="utf-8"), PLACE)))
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
