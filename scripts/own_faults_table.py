"""Disturb the harness itself, and write how often, how it ended and what was left into docs/security.md.

Usage: ``own_faults_table.py [PYTEST ARGUMENTS...]``. Runs the tests of its own faults, its secrets and its
inputs, the slow ones too and properties thoroughly. A line of the table is all tries of a fault; of a fault
that was not tried it stays as it was, and so does all of the table when a test fails.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tables_in_pages import markers, put, rows, table_in

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "security.md"
TESTS = ("tests/resilience", "tests/integration/secrets", "tests/fuzz_inputs")
FIGURES = "HARNESS_FIGURES"
PLACE = markers("own faults", "own_faults_table.py")
HEADER = "| fault | tried | ended | seconds, the slowest | left behind |\n|---|---|---|---|---|\n"


def table(told: Iterable[dict[str, Any]], before: str = "") -> str:
    """The faults as Markdown, by their names; one that was not tried keeps its line of ``before``."""
    lines = rows(before)
    by_fault = defaultdict(list)
    for each in told:
        by_fault[each["fault"]].append(each)
    for fault, tries in by_fault.items():
        ended = sum((Counter(each["ended"]) for each in tries), Counter[str]())
        how = "; ".join(f"{end}: {times}" for end, times in sorted(ended.items()))
        left = sum(each["left"] for each in tries)
        lines[fault] = (
            f"| {fault} | {sum(each['tried'] for each in tries)} | {how} | "
            f"{max(each['seconds'] for each in tries):.1f} | "
            f"{f'{left}, none after the next start' if left else 'nothing'} |\n"
        )
    return HEADER + "".join(lines[fault] for fault in sorted(lines))


def main(arguments: Sequence[str]) -> int:
    """Run the tests; pytest's exit code."""
    command = [*TESTS, "-p", "no:randomly", "--hypothesis-profile=thorough", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "figures"
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *command],
            cwd=ROOT,
            env={**os.environ, FIGURES: str(told)},
            check=False,
        )
        lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    if ran.returncode == 0 and lines:
        put(PAGE, PLACE, table(map(json.loads, lines), table_in(PAGE.read_text(encoding="utf-8"), PLACE)))
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
