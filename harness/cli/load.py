"""``harness load``: the suite's load alone, to look at a service rather than to judge it."""

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from subprocess import run
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from harness.cli.golden_options import GATE_TOML
from harness.cli.progress import Progress
from harness.cli.run import Device
from harness.config.suite import load_suite
from harness.errors import ExitCode, InfrastructureError, Interrupted, UsageError
from harness.load import Arrival, Cluster, GeneratorError, LoadGenerator, LoadPlan, Samples, WebAddress
from harness.load_run import LoadRequest, latency_settings, load_plan, new_folder, started
from harness.load_summary import document, failures, table

MASTER_PORT = 5557
SAMPLES_FILE = "samples.npz"
RESULT_FILE = "load.json"


def load(
    target: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE|URL|DIR",
            help="What to load. Default: the suite's own service, built from its folder.",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="IMAGE|URL|DIR", help="A second service that gets each request too."),
    ] = None,
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="The suite that says what is asked.")
    ] = GATE_TOML,
    device: Annotated[Device, typer.Option(help="Where the service computes.")] = Device.CPU,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Requests a second at each. Default: the suite's.")
    ] = None,
    arrival: Annotated[Arrival | None, typer.Option(help="Their spacing. Default: the suite's.")] = None,
    duration: Annotated[float, typer.Option(min=0.1, help="Seconds that requests are sent.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed sends the same requests.")] = 0,
    web: Annotated[
        bool, typer.Option("--web/--headless", help="Show it live in the Locust web UI, until Ctrl-C.")
    ] = False,
    web_host: Annotated[str, typer.Option(help="Where the web UI listens.")] = "127.0.0.1",
    web_port: Annotated[int, typer.Option(min=0, max=65535, help="0 is any that is free.")] = 8089,
    workers: Annotated[
        int, typer.Option(min=1, help="So many generators on this machine share the load.")
    ] = 1,
    master: Annotated[bool, typer.Option("--master", help="Have workers on other machines send it.")] = False,
    expect_workers: Annotated[int, typer.Option(min=1, help="With --master: wait for so many.")] = 1,
    worker: Annotated[bool, typer.Option("--worker", help="Send what a master asks for.")] = False,
    master_host: Annotated[
        str,
        typer.Option(help="With --worker: the master. With --master: the address it listens on, * for all."),
    ] = "127.0.0.1",
    master_port: Annotated[int, typer.Option(min=1, max=65535, help="The master's port.")] = MASTER_PORT,
    wait: Annotated[float, typer.Option(min=1, help="Seconds that --master waits for its workers.")] = 60.0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where samples go. Default: a new folder in loads/.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")] = False,
) -> None:
    """Send the load of the suite alone, and print exact percentiles; nothing is judged.

    Times run from the moment at which the schedule wanted a request sent, whatever was late. Each request
    is written to samples.npz. Credentials of a URL come from GATE_KEY_<NAME> and GATE_SIGNER_<NAME>_PEM.
    Exits 4 if the generator was too late for its figures to be believed.

    Example: harness load --target http://127.0.0.1:8000 --rate 200 --duration 60

    Example: harness load --target service:1.4.0 --reference service:1.3.2 --web

    Example: harness load --target http://10.0.0.7:8000 --master --master-host 10.0.0.5 --expect-workers 2

    Example: harness load --worker --master-host 10.0.0.5
    """
    if worker:
        if master or workers > 1:
            raise UsageError("--worker sends another's load", fix="leave out --master and --workers")
        raise typer.Exit(_work(master_host, master_port))
    cluster = _cluster(
        master=master,
        workers=workers,
        expected=expect_workers,
        host=master_host,
        port=master_port,
        wait_s=wait,
    )
    suite = load_suite(config).on(device.value)
    settings = latency_settings(suite)
    request = LoadRequest(
        target=target,
        reference=reference,
        gpu=device is Device.GPU,
        rate_per_s=rate,
        arrival=arrival,
        duration_s=duration,
        seed=seed,
    )
    folder = new_folder(out)
    console = Console(stderr=True)
    with (
        Progress(console) as progress,
        started(suite, request, os.environ, progress.handle, folder) as context,
    ):
        plan = load_plan(context, settings, request)
        address = WebAddress(host=web_host, port=web_port) if web else None
        try:
            with LoadGenerator(plan, folder, web=address, cluster=cluster) as generator:
                samples = _send(generator, plan, console)
                samples.save(folder / SAMPLES_FILE)
                result = document(
                    plan, samples, most_lag_p99_ms=settings.limits.max_generator_lag_p99_ms, web_ui=web
                )
                result["workers"] = [clock.model_dump() for clock in generator.clocks]
                result["samples"] = str(folder / SAMPLES_FILE)
                _show(console, result)
                if web:
                    _wait(console, generator)
        except GeneratorError as error:
            raise InfrastructureError(str(error)) from error
    text = json.dumps(result, indent=2) + "\n"
    (folder / RESULT_FILE).write_text(text, encoding="utf-8")
    if as_json:
        sys.stdout.write(text)
    raise typer.Exit(ExitCode.PROMOTE if result["validity"]["valid"] else ExitCode.INCONCLUSIVE)


def _work(host: str, port: int) -> int:
    """A process of its own, as Locust changes the one that imports it."""
    command = [sys.executable, "-m", "harness.load.node", host, str(port)]
    return run(command, check=False).returncode


def _cluster(
    *, master: bool, workers: int, expected: int, host: str, port: int, wait_s: float
) -> Cluster | None:
    if master and workers > 1:
        raise UsageError("--workers are on this machine", fix="leave it out, or --master")
    if master:
        return Cluster(host=host, port=port, workers=expected, wait_s=wait_s)
    return Cluster(workers=workers, local_workers=workers, wait_s=wait_s) if workers > 1 else None


def _send(generator: LoadGenerator, plan: LoadPlan, console: Console) -> Samples:
    if generator.ready.web_url is not None:
        console.print(f"  live at {generator.ready.web_url}", highlight=False, soft_wrap=True)
    columns = TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn()
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bars.add_task(f"load for {plan.block_s:g} s", total=None)
        return generator.run_block(0, last=True)


def _show(console: Console, result: dict[str, Any]) -> None:
    console.print(table(result), soft_wrap=True)
    for line in failures(result):
        console.print(f"failed at the {line}", style="red", highlight=False)
    validity = result["validity"]
    if not validity["valid"]:
        console.print(
            f"not to be believed: 1 % of the requests were sent more than "
            f"{validity['generator_lag_p99_ms']:.1f} ms late, allowed are "
            f"{validity['max_generator_lag_p99_ms']:g} ms; a lower rate or more workers help",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"  {result['samples']}", highlight=False, soft_wrap=True)


def _wait(console: Console, generator: LoadGenerator) -> None:
    console.print(
        f"  the web UI stays at {generator.ready.web_url} until Ctrl-C", highlight=False, soft_wrap=True
    )
    with suppress(Interrupted):
        while True:
            time.sleep(1)
