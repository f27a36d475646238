"""The commands, and what becomes of an error."""

import sys
import traceback
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness import __version__
from harness.cli import (
    attestation,
    compare,
    contract,
    doctor,
    golden,
    history,
    init,
    judge,
    load,
    report,
    run,
    schema,
    selftest,
    traffic,
)
from harness.cli.signals import interruptible
from harness.errors import ExitCode, HarnessError, Interrupted
from harness.reports.text import visible

app = typer.Typer(
    name="harness",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Decide whether an inference service image may be released.",
    epilog="Exit codes: 0 promote, 1 crash, 2 usage or configuration, 3 reject, 4 inconclusive, "
    "5 infrastructure, 130 interrupted.",
)
app.command("init")(init.init)
app.command("run")(run.run)
app.command("judge")(judge.judge)
app.command("load")(load.load)
app.command("report")(report.report)
app.command("verify-attestation")(attestation.verify_attestation)
app.command("compare")(compare.compare)
app.command("history")(history.history)
app.command("selftest")(selftest.selftest)
app.command("doctor")(doctor.doctor)
app.command("schema")(schema.schema)
app.add_typer(contract.app, name="contract")
app.add_typer(traffic.app, name="traffic")
app.add_typer(golden.app, name="golden")


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"harness {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Decide whether an inference service image may be released."""


def main() -> None:
    """Entry point: every deliberate error ends as one message and its own exit code."""
    console = Console(stderr=True)
    try:
        with interruptible():
            app()
    except Interrupted:
        console.print("interrupted; everything that was started has been removed")
        sys.exit(ExitCode.INTERRUPTED)
    except HarnessError as error:
        console.print(f"[bold red]error:[/] {escape(visible(str(error)))}", highlight=False, soft_wrap=True)
        if error.fix:
            console.print(f"  [bold]fix:[/] {escape(visible(error.fix))}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 - the last line of defence: a crash has an exit code of its own
        traceback.print_exc()
        console.print("[bold red]crash:[/] this is a fault of harness, not of the candidate", highlight=False)
        sys.exit(ExitCode.CRASH)
