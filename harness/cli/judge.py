"""``harness judge``: decide a stored run again."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.errors import UsageError
from harness.policy import exit_code
from harness.rejudge import rejudge
from harness.reports.console import print_verdict
from harness.reports.figures.drawing import draw
from harness.reports.store import evidence_folder
from harness.reports.table import render


def judge(
    report: Annotated[
        Path, typer.Argument(metavar="REPORT", help="reports/RUN.json; its evidence folder lies beside it.")
    ],
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another policy. Default: the one in the report.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the decided report's JSON on stdout.")
    ] = False,
    as_html: Annotated[
        bool, typer.Option("--html", help="Print it as a page on stdout, with plots of the evidence.")
    ] = False,
) -> None:
    """Decide a stored run again from its evidence, without an engine.

    The same policy gives the same verdict. Writes nothing; exits with the verdict.

    Example: harness judge reports/latest --config stricter.toml

    Example: harness judge reports/latest --config stricter.toml --html > stricter.html
    """
    if as_json and as_html:
        raise UsageError("--json and --html would both be on stdout", fix="name one of them")
    console = Console(stderr=True)
    result = rejudge(report, config, today=datetime.now(UTC).date())
    print_verdict(console, result.report, report.resolve())
    for note in result.notes:
        console.print(f"  note: {escape(note)}", highlight=False, soft_wrap=True)
    console.print(f"  the run itself had decided: {result.stored.value}", highlight=False)
    if as_json:
        sys.stdout.write(render("json", result.report))
    if as_html:
        sys.stdout.write(render("html", result.report, draw(result.report, evidence_folder(report))))
    raise typer.Exit(exit_code(result.report.decision, result.report.checks))
