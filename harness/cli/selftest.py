"""``harness selftest``: what the gate notices, and what it lets pass."""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.text import Text

from harness.cli.console import wide_console
from harness.errors import UsageError
from harness.events import BuildProgress, Note
from harness.reports.json import ascii_json
from harness.reports.text import one_line, seconds
from harness.selftest.matrix import exit_code
from harness.selftest.model import AS_IT_SHOULD, WRONG, Mode, Result, Trial
from harness.selftest.running import (
    Counted,
    Selftested,
    SelftestRequest,
    Step,
    TrialFinished,
    TrialStarted,
    run_selftest,
    stored,
)
from harness.selftest.tables import headline, mend_first, result_words, shares, tables


def selftest(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The suite that is tested.")] = Path(
        "gate.toml"
    ),
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FAMILY", help="Only this entry, or those of this family; may be repeated."
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full/--quick",
            help="Gate each fault whole; or only by the checks of its own family that have to fail.",
        ),
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(min=1, max=64, help="Trials at once; while one measures a latency the others wait."),
    ] = 1,
    candidate: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE|DIR",
            help="The healthy image. Default: the suite's own service, built from its folder.",
        ),
    ] = None,
    proxy: Annotated[
        bool,
        typer.Option(
            "--proxy",
            help="Inject faults by a proxy before the image, instead of those of the suite's catalogue.",
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where reports go; it keeps its own in selftest/ there.")
    ] = Path("reports"),
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of everything random; the same seed asks the same.")
    ] = 0,
    report: Annotated[
        bool, typer.Option("--report", help="Print the matrix of the stored trials, and run nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the matrix as JSON on stdout.")] = False,
) -> None:
    """Gate seeded faults and benign changes, and print which check killed which fault.

    Called again it goes on where it stopped. Exits 0 when every fault was killed for the right reason and no
    benign change was rejected, 3 when one was not, 4 when something stayed undecided or was never shown to be
    active, 5 when a trial ended in an error.

    Example: harness selftest --jobs 2

    Example: harness selftest --only golden --full

    Example: harness selftest --proxy --config my-suite/gate.toml --candidate my-service:2.1.0
    """
    request = SelftestRequest(
        config=config,
        only=tuple(only or ()),
        mode=Mode.FULL if full else Mode.QUICK,
        jobs=jobs,
        out=out,
        seed=seed,
        candidate=candidate,
        proxied=proxy,
    )
    console = Console(stderr=True, highlight=False)
    if report and candidate is not None:
        raise UsageError("--report starts nothing: --candidate would do nothing", fix="leave it out")
    with _Progress(console) as progress:
        found = stored(request, progress.show) if report else run_selftest(request, os.environ, progress.show)
    if as_json:
        sys.stdout.write(ascii_json(found.document))
    else:
        _print(found)
    if found.path is not None:
        _say(console, f"Matrix  {found.path.with_suffix('.html')}\n        {found.path}")
    raise typer.Exit(exit_code(found.results))


class _Progress:
    """A line for each trial that ended, and on a terminal a bar with what runs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._running: list[str] = []
        self._done = self._total = 0

    def __enter__(self) -> Self:
        self._bars.start()
        self._task = self._bars.add_task("preparing", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(self, step: Step) -> None:
        """Show one step."""
        match step:
            case Note(text):
                _say(self._console, f"  {text}", style="dim")
            case BuildProgress(done, total):
                self._update(f"building the healthy image, step {done} of {total}")
            case Counted(total, done):
                self._total, self._done = total, done
                if done:
                    _say(self._console, f"  {done} of {total} were tried before")
                self._update("")
            case TrialStarted(name):
                self._running.append(name)
                self._update(", ".join(self._running))
            case TrialFinished(trial):
                if trial.name in self._running:
                    self._running.remove(trial.name)
                self._done += 1
                self._console.print(self._line(trial), soft_wrap=True)
                self._update(", ".join(self._running))

    def _line(self, trial: Trial) -> Text:
        """One trial: result, name, time, and by what or why."""
        counted = f"{self._done}/{self._total}"
        by = ", ".join(trial.failed) if trial.result is Result.KILLED else trial.why
        return Text.assemble(
            "  ",
            (f"{result_words(trial.result):<13}", _style(trial.result)),
            f" {counted:>8}  {one_line(trial.name):<40} {seconds(trial.took_s):>12}  {one_line(by)}",
        )

    def _update(self, description: str) -> None:
        if self._task is not None:
            self._bars.update(
                self._task, description=description, total=self._total or None, completed=self._done
            )


def _style(result: Result) -> str:
    if result in AS_IT_SHOULD:
        return "green"
    return "bold red" if result in WRONG else "yellow"


def _print(found: Selftested) -> None:
    """The matrix on stdout: what was asked for entry by entry, and the figures of all."""
    console = wide_console()
    if told := mend_first(found.document):
        _say(console, f"{told}\n", style="bold red")
    for table in tables(found.document, found.names):
        console.print(table.rich())
        console.print()
    _say(console, "\n".join([f"{headline(found.document)}.", *shares(found.document)]))


def _say(console: Console, text: str, style: str = "") -> None:
    for line in text.splitlines():
        console.print(Text(one_line(line), style=style), soft_wrap=True)
