"""``harness report``: render a stored run."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.attestation import attestation
from harness.errors import UsageError
from harness.reports.figures.drawing import draw
from harness.reports.store import evidence_folder, load_report
from harness.reports.table import render


class Format(StrEnum):
    """The formats of ``harness/reports/table.py``, and the one that may be refused."""

    HTML = "html"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    JSON = "json"
    GITHUB = "github"
    ATTESTATION = "attestation"


def report(
    path: Annotated[Path, typer.Argument(metavar="REPORT", help="reports/RUN.json")],
    to: Annotated[Format, typer.Option("--format", help="What to make of it.")],
    key: Annotated[
        Path | None,
        typer.Option(metavar="PRIVATE.pem", help="With [bold]attestation[/]: sign it, Ed25519 or P-256."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="With [bold]attestation[/]: where people find the run.")
    ] = None,
) -> None:
    """Render a stored run on stdout.

    Example: harness report reports/latest --format markdown >> "$GITHUB_STEP_SUMMARY"

    Example: harness report reports/latest --format attestation --key private.pem > attestation.json
    """
    if to is Format.ATTESTATION:
        sys.stdout.write(attestation(path, key, url))
        return
    if key is not None or url is not None:
        raise UsageError(
            f"--format {to.value}: only an attestation takes --key and --url", fix="--format attestation"
        )
    stored = load_report(path)
    figures = draw(stored, evidence_folder(path)) if to is Format.HTML else ()
    sys.stdout.write(render(to.value, stored, figures))
