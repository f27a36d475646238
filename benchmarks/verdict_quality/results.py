"""Raw results: a JSON line for each run, on disk before the next begins."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.verdict_quality.plan import Task

RESULTS = Path(__file__).with_name("results")
Line = dict[str, Any]


def results_path(digest: str, folder: Path = RESULTS) -> Path:
    """Where the results under a plan of this digest lie."""
    return folder / f"{digest[:12]}.jsonl"


def read(path: Path) -> list[Line]:
    """The whole lines of a file; one that an interruption cut is as if it never was."""
    if not path.exists():
        return []
    whole, _, _cut = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]


def append(path: Path, line: Line) -> None:
    """Write a line through to the disk, in place of one that was cut."""
    path.parent.mkdir(exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def is_of(line: Line, task: Task) -> bool:
    """Whether a line is the result of a task."""
    return (line["kind"], line.get("name"), line.get("index")) == (task.kind.value, task.name, task.index)


def left(tasks: Iterable[Task], lines: Iterable[Line], *, only: str | None, most: int | None) -> list[Task]:
    """The tasks that have no result yet, in their order.

    Args:
        tasks: All of the plan.
        lines: The results so far.
        only: A scenario's name; None for all.
        most: Runs of each kind and name at most; None for as many as planned.
    """
    done = {(line["kind"], line.get("name"), line.get("index")) for line in lines}
    return [
        task
        for task in tasks
        if (task.kind.value, task.name, task.index) not in done
        and only in {None, task.name}
        and (most is None or task.index < most)
    ]
