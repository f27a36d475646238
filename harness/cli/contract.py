"""``harness contract``: compare OpenAPI documents."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import ExitCode
from harness.openapi import diff, has_breaking
from harness.openapi.load import read_document
from harness.openapi.render import render

app = typer.Typer(no_args_is_help=True, help="Compare OpenAPI documents.")


@app.callback()
def contract() -> None:
    """Compare OpenAPI documents."""


@app.command("diff")
def contract_diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The contract callers rely on, JSON or YAML.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="What would replace it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
) -> None:
    """Classify what changed between two OpenAPI documents.

    Exits 0 when no change breaks a caller, 3 when one does, 2 when a document cannot be read.

    Example: harness contract diff contracts/openapi.json served.json --json
    """
    changes = diff(read_document(old), read_document(new), names=(str(old), str(new)))
    if as_json:
        sys.stdout.write(json.dumps([change.model_dump(mode="json") for change in changes], indent=2) + "\n")
    else:
        for line in render(changes):
            sys.stdout.write(line + "\n")
    raise typer.Exit(ExitCode.REJECT if has_breaking(changes) else ExitCode.PROMOTE)
