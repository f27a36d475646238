"""Options that the golden commands share."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.run import Device

Candidate = Annotated[
    str | None,
    typer.Option(
        metavar="IMAGE|URL|DIR", help="The service to ask. Default: the suite's own, built from its folder."
    ),
]
Config = Annotated[Path, typer.Option(metavar="FILE", help="The suite that says how it is asked.")]
OnDevice = Annotated[Device, typer.Option(help="Where the service computes.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the golden set that is there.")]
Compress = Annotated[
    bool, typer.Option("--compress", help="Write cases.jsonl.gz, for a set too large to read in a diff.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]

GATE_TOML = Path("gate.toml")
