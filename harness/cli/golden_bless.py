"""``harness golden bless``: accept what a service answers now, with a reason."""

import json
import math
import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from harness.checks.golden.golden_set import load_golden_set
from harness.cli.golden_options import GATE_TOML, AsJson, Candidate, Config, OnDevice
from harness.cli.progress import Progress
from harness.cli.run import Device
from harness.config.suite import load_suite
from harness.errors import UsageError, shown
from harness.golden.bless import Difference, ask_again, blessed
from harness.golden.service import find_service, golden_settings
from harness.golden.writing import COMPRESSED, GoldenWriter


def bless(
    candidate: Candidate = None,
    config: Config = GATE_TOML,
    device: OnDevice = Device.CPU,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Why the answers may be others. Asked for on a terminal if left out."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replace the expected values that a service answers otherwise, and keep the reason in golden.toml.

    Shows the difference first: for each output how many cases change, how many of them beyond its tolerance,
    and the worst before and after. Writes all or nothing; nothing without a difference, without a reason, or
    when a case has no answer (exit 3).

    Example: harness golden bless --candidate my-service:2.2.0 --reason "retrained on October's data"
    """
    suite = load_suite(config)
    settings = golden_settings(suite)
    golden = load_golden_set(suite, settings)
    console = Console(stderr=True)
    if reason is not None and not reason.strip():
        raise UsageError("--reason is empty", fix="say why the answers may be others")
    if reason is None and not (sys.stdin.isatty() and console.is_terminal):
        raise UsageError("blessing needs a reason", fix="give --reason TEXT, or run it on a terminal")
    folder = suite.folder / settings.path
    compress = golden.header.cases.file == COMPRESSED
    with GoldenWriter(folder, compress=compress) as writer:
        with Progress(console) as progress:
            named = find_service(suite, candidate, os.environ, progress.handle, gpu=device is Device.GPU)
            with named.started() as service:
                difference = ask_again(service, settings, golden, writer)
        _show(console, difference)
        if difference.changed:
            told = reason or typer.prompt("why may they be others?", err=True)
            header = blessed(service, golden, difference, told.strip(), datetime.now(UTC).date())
            writer.commit(header)
            console.print(f"  blessed in {folder}", highlight=False, soft_wrap=True)
    if as_json:
        sys.stdout.write(json.dumps(_document(difference), indent=2) + "\n")


def _show(console: Console, difference: Difference) -> None:
    same = difference.asked - difference.changed
    console.print(f"  {same} of {difference.asked} cases are answered as before", highlight=False)
    for name, changes in difference.outputs.items():
        if not changes.cases:
            continue
        counts = f"{changes.cases} cases change, {changes.beyond} beyond the tolerance; the worst:"
        console.print(f"  [bold]{escape(name)}[/]: {counts}", highlight=False)
        for change in changes.worst:
            exact = math.isinf(change.tolerance_used)
            used = "exact required" if exact else f"{change.tolerance_used:.3g} of tolerance"
            values = f"{shown(change.before)} -> {shown(change.after)}"
            line = f"    {change.case_id} at {change.pointer}: {values}, {used}"
            console.print(escape(line), highlight=False, soft_wrap=True)


def _document(difference: Difference) -> dict[str, Any]:
    return {
        "asked": difference.asked,
        "changed": difference.changed,
        "outputs": {
            name: {
                "changed": changes.cases,
                "beyond_tolerance": changes.beyond,
                "worst": [
                    {
                        "case": change.case_id,
                        "pointer": change.pointer,
                        "before": change.before,
                        "after": change.after,
                        "tolerance_used": _finite(change.tolerance_used),
                    }
                    for change in changes.worst
                ],
            }
            for name, changes in difference.outputs.items()
        },
    }


def _finite(value: float) -> float | str:
    """JSON has no infinity."""
    return "Infinity" if value == float("inf") else value
