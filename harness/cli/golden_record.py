"""``harness golden record``: a golden set from what a service answers."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.cli.golden_options import GATE_TOML, AsJson, Candidate, Compress, Config, Force, OnDevice
from harness.cli.progress import Progress
from harness.cli.run import Device
from harness.config.suite import load_suite
from harness.golden import record as recording
from harness.golden.inputs import read_inputs
from harness.golden.service import find_service, golden_settings
from harness.golden.writing import require_free


def record(
    inputs: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help='JSON lines of {"id": ..., "input": ...}, .gz if compressed; a file of cases is one too.',
        ),
    ],
    candidate: Candidate = None,
    config: Config = GATE_TOML,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write it. Default: the suite's golden.path.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of the inputs. Default: the file's name.")
    ] = None,
    device: OnDevice = Device.CPU,
    compress: Compress = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Ask a service every input and write its answers as a golden set.

    The set says that a service made it: it shows what changes from now on, not whether it was right. A set
    from the training pipeline is better where there is one. Exits 3 for an answer that lacks an output, and
    then writes nothing.

    Example: harness golden record --inputs inputs.jsonl --candidate my-service:2.1.0 --out golden/my-service

    Example: harness golden record --inputs golden/my-service/cases.jsonl --out golden/again --compress
    """
    suite = load_suite(config)
    folder = out or suite.folder / golden_settings(suite).path
    require_free(folder, force=force)
    given = read_inputs(inputs, dataset)
    console = Console(stderr=True)
    with Progress(console) as progress:
        named = find_service(suite, candidate, os.environ, progress.handle, gpu=device is Device.GPU)
        with named.started() as service:
            header = recording.record(
                service, given, folder, compress=compress, today=datetime.now(UTC).date()
            )
    console.print(f"  {header.cases.count} cases in {folder}", highlight=False, soft_wrap=True)
    if as_json:
        document = {"path": str(folder), **header.model_dump(mode="json", exclude_none=True)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
