"""``harness run``: the gate."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.cli.progress import Progress
from harness.gate import GateRequest, gate
from harness.load import WebAddress
from harness.model import Family
from harness.policy import exit_code
from harness.reports.console import print_verdict
from harness.reports.json import JsonRenderer
from harness.selection import selectable, selection

DASHBOARD_PORT = 8089


class Device(StrEnum):
    """Where the service computes."""

    CPU = "cpu"
    GPU = "gpu"


def run(
    candidate: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE|URL|DIR",
            help="What to gate. Default: the suite's own service, built from its folder.",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE|URL|none",
            help="What to compare it with, the release now in use. Default: the suite's own service; "
            "[bold]none[/] for a first release.",
        ),
    ] = None,
    config: Annotated[Path, typer.Option(metavar="FILE", help="The suite and its policy.")] = Path(
        "gate.toml"
    ),
    device: Annotated[Device, typer.Option(help="Where the service computes.")] = Device.CPU,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAMILY",
            help="Run only this family, or of a family only this check (golden.single); may be repeated.",
            autocompletion=selectable,
        ),
    ] = None,
    skip: Annotated[
        list[Family] | None, typer.Option(metavar="FAMILY", help="Leave this family out; may be repeated.")
    ] = None,
    replay: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="With [bold]--only fuzz[/]: send this stored request, or a folder of them, "
            "instead of new ones; may be repeated.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where reports go.")] = Path("reports"),
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of everything random; the same seed asks the same.")
    ] = 0,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop after the first failure.")] = False,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Show the load live in the Locust web UI while it runs.")
    ] = False,
    dashboard_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where, on 127.0.0.1; 0 is any that is free.")
    ] = DASHBOARD_PORT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report's JSON on stdout.")] = False,
) -> None:
    """Gate a candidate: start it, ask it everything, write a report, exit with the verdict.

    Example: harness run --candidate registry/service:1.4.0 --reference registry/service:1.3.2

    Example: harness run --candidate http://127.0.0.1:8000 --reference none --only golden
    """
    families, checks = selection(only or ())
    request = GateRequest(
        candidate=candidate,
        reference=reference,
        config=config,
        gpu=device is Device.GPU,
        only=families,
        checks=checks,
        skip=frozenset(skip or ()),
        replay=tuple(replay or ()),
        out=out,
        seed=seed,
        fail_fast=fail_fast,
        dashboard=WebAddress(port=dashboard_port) if dashboard else None,
    )
    console = Console(stderr=True)
    with Progress(console) as progress:
        report, path = gate(request, os.environ, progress.handle)
    print_verdict(console, report, path)
    if as_json:
        sys.stdout.write(JsonRenderer().render(report))
    raise typer.Exit(exit_code(report.decision, report.checks))
