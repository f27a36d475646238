"""``harness init``: a first suite for a service that runs."""

import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.cli.progress import Progress
from harness.errors import ExitCode, TargetError, UsageError
from harness.reports.text import one_line, visible
from harness.suite_init.declared import Given
from harness.suite_init.gate_toml import Findings
from harness.suite_init.make import make_suite, told_files
from harness.suite_init.request import InitRequest
from harness.suite_init.writing import GATE_TOML

LAST_LINES = 20


def init(
    candidate: Annotated[
        str, typer.Option(metavar="IMAGE|URL", help="The service: an image to start, or where it runs.")
    ],
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where the suite goes; made where it is missing.")
    ] = Path(),
    name: Annotated[
        str | None, typer.Option(help="Of the suite. Default: the image's, for a URL the folder's.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Where an image's service listens. Default: the one port that it exposes."
        ),
    ] = None,
    ready: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Answers once requests may come. Default: the usual ones are tried."
        ),
    ] = None,
    openapi: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Serves the OpenAPI document. Default: the usual ones are tried."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="The POST to ask, where the document has several, or there is none."
        ),
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A body as JSON, or one a line. Default: the document's examples, or made from its schema.",
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'NAME: VALUE'",
            help="Sent with each request; VALUE holds ${key.NAME}, which is read from GATE_KEY_<NAME> "
            "and never written. May be repeated.",
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Handed to an image; a secret as ${key.NAME}. Goes into gate.toml. May be repeated.",
        ),
    ] = None,
    service: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML with \\[service] and \\[auth] as in gate.toml, for all that else it needs.",
        ),
    ] = None,
    cases: Annotated[int, typer.Option(min=1, max=1000, help="So many golden cases at most.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Of the requests; the same seed makes the same.")] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the files of a suite that are there.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not confirm that a service on another machine is asked.")
    ] = False,
) -> None:
    """Make a first suite for a service: gate.toml with comments, golden cases, its contract.

    Finds the readiness path and the OpenAPI document, asks the endpoint twice with each of some requests,
    and records what it answers. The cases show what the service answered today, not that it was right.
    Writes all of its files or none. Exits 3 for a service that answers nothing to record.

    Example: harness init --candidate http://127.0.0.1:8000 --dir my-suite

    Example: harness init --candidate my-service:2.1.0 --dir my-suite --endpoint /predict

    Example: harness init --candidate http://127.0.0.1:8000 --endpoint /predict --request body.json
    """
    console = Console(stderr=True)

    def confirm(what: str) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise UsageError(f"without a terminal nobody confirms to {what}", fix="--yes confirms it")
        if not typer.confirm(f"{what}?", err=True):
            raise typer.Exit(ExitCode.USAGE)

    wanted = InitRequest(
        candidate=candidate,
        folder=folder,
        given=Given(service, header or (), env or (), port, ready),
        name=name,
        openapi=openapi,
        endpoint=endpoint,
        request=request,
        cases=cases,
        seed=seed,
        force=force,
    )
    with Progress(console) as progress:
        try:
            found = make_suite(wanted, os.environ, progress.handle, confirm, today=datetime.now(UTC).date())
        except TargetError as error:
            if lines := visible(error.logs).splitlines()[-LAST_LINES:]:
                console.print(
                    "\n".join(["its last words:", *map(escape, lines)]), highlight=False, soft_wrap=True
                )
            raise
    _tell(console, found, wanted)


def _tell(console: Console, found: Findings, wanted: InitRequest) -> None:
    config = str(wanted.folder / GATE_TOML)
    for file in told_files(found):
        console.print(f"  wrote {escape(str(wanted.folder / file))}", highlight=False, soft_wrap=True)
    kept, asked = len(found.answers.kept), found.answers.asked
    notes = [f"{kept} of {asked} requests to POST {found.path} are golden cases: what it answered today"]
    if found.document is None:
        instead = f": {found.problems[-1]}" if found.problems else ""
        notes.append(f"no OpenAPI document was found, so no contract is declared{instead}")
    if found.outputs.left_out:
        notes.append(f"not compared, see {config}: {', '.join(p or '/' for p in found.outputs.left_out)}")
    for note in notes:
        console.print(f"  {escape(one_line(note))}", highlight=False, soft_wrap=True)
    if found.doubt:
        console.print(
            f"  [bold yellow]warning:[/] {escape(one_line(found.doubt))}", highlight=False, soft_wrap=True
        )
    families = ["--only golden", *(["--only contract"] if found.document is not None else [])]
    given = ["--config", config, "--candidate", wanted.candidate, "--reference", "none"]
    console.print("next:", highlight=False)
    for command in (
        shlex.join(["harness", "doctor", "--config", config]),
        f"{shlex.join(['harness', 'run', *given])} {' '.join(families)}",
    ):
        console.print(f"  {escape(command)}", highlight=False, soft_wrap=True)
