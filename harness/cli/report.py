"""``harness report``: render a stored run."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.reports.store import load_report
from harness.reports.table import RENDERERS


class Format(StrEnum):
    """The formats of ``harness/reports/table.py``."""

    HTML = "html"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    JSON = "json"
    GITHUB = "github"


def report(
    path: Annotated[Path, typer.Argument(metavar="REPORT", help="reports/RUN.json")],
    to: Annotated[Format, typer.Option("--format", help="What to make of it.")],
) -> None:
    """Render a stored run on stdout.

    Example: harness report reports/latest --format markdown >> "$GITHUB_STEP_SUMMARY"
    """
    sys.stdout.write(RENDERERS[to.value].render(load_report(path)))
