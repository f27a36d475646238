"""``harness compare``: two stored runs side by side."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import wide_console
from harness.errors import UsageError
from harness.history.compare import compare as compared
from harness.history.comparison_text import notes, tables
from harness.reports.json import ascii_json
from harness.reports.markdown import prose
from harness.reports.store import load_report
from harness.reports.text import one_line


class Format(StrEnum):
    """What is printed."""

    TABLE = "table"
    MARKDOWN = "markdown"


def compare(
    then: Annotated[Path, typer.Argument(metavar="A", help="The earlier run, reports/A.json.")],
    now: Annotated[Path, typer.Argument(metavar="B", help="The later one.")],
    to: Annotated[Format | None, typer.Option("--format", help="What to print. Default: table.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON instead.")] = False,
) -> None:
    """Show what differs between two runs: who, verdict, policy, and each check and finding.

    Says so where they do not compare: another suite, device or machine, or a partial run. Exits 0 whatever
    differs, 2 when a report cannot be read.

    Example: harness compare reports/RELEASE.json reports/latest

    Example: harness compare A.json B.json --format markdown >> "$GITHUB_STEP_SUMMARY"
    """
    if as_json and to is not None:
        raise UsageError("--json and --format would both be on stdout", fix="name one of them")
    comparison = compared(load_report(then), load_report(now))
    if as_json:
        sys.stdout.write(ascii_json(comparison))
        return
    runs, *others = tables(comparison)
    if to is Format.MARKDOWN:
        said = "\n>\n".join(f"> {prose(note)}" for note in notes(comparison))
        blocks = [runs.markdown(), *([said] if said else []), *(table.markdown() for table in others)]
        sys.stdout.write("\n\n".join(blocks) + "\n")
        return
    console = wide_console()
    console.print(runs.rich())
    for note in notes(comparison):
        console.print(Text(one_line(note), style="yellow"), soft_wrap=True)
    for table in others:
        console.print()
        console.print(table.rich())
