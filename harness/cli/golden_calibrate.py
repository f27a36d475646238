"""``harness golden calibrate``: how far answers are off by themselves, and tolerances that allow it."""

import json
import os
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.checks.golden.golden_set import load_golden_set
from harness.cli.golden_options import GATE_TOML, AsJson, Candidate, Config
from harness.cli.progress import Progress
from harness.cli.run import Device
from harness.config.suite import load_suite
from harness.errors import ConfigError, ExitCode
from harness.golden.calibrate import (
    Calibrated,
    Configuration,
    joined,
    require_batches,
    snippet,
    unmendable,
)
from harness.golden.calibrate import (
    calibrate as measure,
)
from harness.golden.envelope import Envelope
from harness.golden.service import find_service, golden_settings

WIDE = 160


def calibrate(
    candidate: Candidate = None,
    config: Config = GATE_TOML,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="How often each case is asked.")] = 5,
    batch: Annotated[
        list[int] | None,
        typer.Option(min=1, metavar="SIZE", help="Cases to a request; may be repeated. Default: 1."),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Besides as it is, start it as this of \\[service.variants]; may be repeated.",
        ),
    ] = None,
    device: Annotated[
        list[Device] | None, typer.Option(help="Where the service computes; may be repeated. Default: cpu.")
    ] = None,
    margin: Annotated[float, typer.Option(min=1, help="Allow this many times the largest error seen.")] = 4.0,
    as_json: AsJson = False,
) -> None:
    r"""Measure how far a service's answers are from its golden set by themselves, and propose tolerances.

    Asks every case RUNS times for each device, variant and batch size. The proposal, TOML for gate.toml, goes
    to stdout, for each device if there are several. Thread counts are variants: \[service.variants.NAME] with
    their environment. Exits 3 when an output was off in what no tolerance mends, such as a label.

    Example: harness golden calibrate --runs 10 --batch 1 --batch 64 >> gate.toml

    Example: harness golden calibrate --candidate my-service:2.1.0 --json
    """
    suite = load_suite(config)
    settings = golden_settings(suite)
    golden = load_golden_set(suite, settings)
    sizes = tuple(dict.fromkeys(batch or [1]))
    require_batches(settings, sizes)
    variants = [None, *dict.fromkeys(variant or ())]
    for name in variants:
        if name is not None and name not in suite.config.service.variants:
            raise ConfigError(
                file=suite.path,
                key="service.variants",
                value=name,
                problem="no such variant",
                allowed=", ".join(suite.config.service.variants) or "none is declared",
            )
    results: list[Calibrated] = []
    console = Console(stderr=True)
    with Progress(console) as progress:
        for where in dict.fromkeys(device or [Device.CPU]):
            named = find_service(suite, candidate, os.environ, progress.handle, gpu=where is Device.GPU)
            for name in variants:
                with named.started(name) as service:
                    for size in sizes:
                        how = Configuration(where.value, name, size)
                        results.append(measure(service, golden, how, runs, settings))
    # Not folded to 80 columns: numbers cut into pieces tell nothing.
    Console(stderr=True, width=max(console.width, WIDE)).print(_table(results))
    beyond = unmendable(results, settings)
    source = f"{margin:g} times the largest error of {runs} runs of {len(golden.cases)} cases"
    if as_json:
        document = {
            "runs": runs,
            "margin": margin,
            "cases": len(golden.cases),
            "configurations": [_document(result) for result in results],
            "proposal": {
                name: None if (proposed := envelope.proposal(margin)) is None else proposed.model_dump()
                for name, envelope in joined(results).items()
            },
            "unmendable": beyond,
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        toml = snippet(results, settings, margin, source)
        equal = "" if beyond else "# every answer was equal: no tolerance is needed\n"
        sys.stdout.write(toml or equal)
    if beyond:
        console.print(f"no tolerance mends {', '.join(map(escape, beyond))}: wrong answers", highlight=False)
        raise typer.Exit(ExitCode.REJECT)


def _numbers(envelope: Envelope) -> dict[str, Any]:
    return {
        "elements": envelope.elements,
        "broken": envelope.broken,
        "bias": envelope.bias,
        "p50": envelope.quantile(0.5),
        "p99": envelope.quantile(0.99),
        "max": envelope.max_error,
    }


def _document(result: Calibrated) -> dict[str, Any]:
    how = result.configuration
    outputs = {name: _numbers(envelope) for name, envelope in result.outputs.items()}
    return {"device": how.device, "variant": how.variant, "batch": how.batch, "outputs": outputs}


def _table(results: list[Calibrated]) -> Table:
    table = Table(
        "device", "variant", "batch", "output", "elements", "broken", "bias", "p50", "p99", "max", box=None
    )
    for result in results:
        how = result.configuration
        for name, envelope in result.outputs.items():
            counts, errors = list(_numbers(envelope).values())[:2], list(_numbers(envelope).values())[2:]
            row = [
                how.device,
                how.variant or "-",
                how.batch,
                name,
                *counts,
                *(f"{error:.3g}" for error in errors),
            ]
            table.add_row(*map(str, row))
    return table
