"""``harness golden verify``: hold a golden set against a service, or against its own digests."""

import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.checks.golden.golden_set import load_golden_set
from harness.checks.golden.header import NOT_TOLD, GoldenHeader
from harness.cli.golden_options import GATE_TOML, AsJson, Candidate, Config, OnDevice
from harness.cli.progress import Progress
from harness.cli.run import Device
from harness.config.suite import load_suite
from harness.errors import ExitCode
from harness.golden.service import find_service, golden_settings
from harness.golden.verify import Verification
from harness.golden.verify import verify as hold
from harness.model import Outcome
from harness.reports.console import OUTCOME_STYLES

EXITS = {
    Outcome.PASS: ExitCode.PROMOTE,
    Outcome.WARN: ExitCode.PROMOTE,
    Outcome.FAIL: ExitCode.REJECT,
}


def verify(
    candidate: Candidate = None,
    config: Config = GATE_TOML,
    device: OnDevice = Device.CPU,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Ask nothing: only the set's digest, count and declared outputs."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hold the suite's golden set against a service, and say for each output the tolerance used.

    Exits 0 when every output holds, 3 when one does not, 4 when not every case could be asked.

    Example: harness golden verify --candidate my-service:2.1.0 --config gate.toml

    Example: harness golden verify --offline --json
    """
    suite = load_suite(config)
    settings = golden_settings(suite)
    golden = load_golden_set(suite, settings)
    console = Console(stderr=True)
    if offline:
        _told(console, golden.header)
        console.print("  digest, count and outputs are as declared", highlight=False)
        if as_json:
            _write(golden.header, None)
        return
    with Progress(console) as progress, tempfile.TemporaryDirectory() as folder:
        named = find_service(suite, candidate, os.environ, progress.handle, gpu=device is Device.GPU)
        with named.started() as service:
            result = hold(service, Path(folder), today=datetime.now(UTC).date())
    _told(console, golden.header)
    for finding in result.findings:
        line = f"  [{OUTCOME_STYLES[finding.outcome]}]{finding.outcome.value:<14}[/] "
        console.print(line + escape(f"{finding.id}: {finding.message}"), highlight=False, soft_wrap=True)
    if as_json:
        _write(golden.header, result)
    raise typer.Exit(EXITS.get(result.outcome, ExitCode.INCONCLUSIVE))


def _told(console: Console, header: GoldenHeader) -> None:
    producer = header.producer
    who = f"{producer.name} {producer.version} ({producer.kind})"
    if producer.version == NOT_TOLD:
        who = f"{producer.name} ({producer.kind}, version not told)"
    told = f"  {header.cases.count} cases by {who}, {producer.date}"
    console.print(escape(told), highlight=False, soft_wrap=True)


def _write(header: GoldenHeader, result: Verification | None) -> None:
    document = {
        "golden": header.model_dump(mode="json", exclude_none=True),
        "verification": None if result is None else result.model_dump(mode="json"),
    }
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
