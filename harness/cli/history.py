"""``harness history``: a folder of reports over time, and the release to go back to."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from harness.cli.compare import stdout_console
from harness.cli.run import Device
from harness.errors import ExitCode
from harness.history.comparison_text import release_name
from harness.history.folder import Skipped, Stored, read_reports, report_paths
from harness.history.promoted import Release, release, rollback_pointer, why_no_release
from harness.history.trend import HistoryDocument, HistoryGroup, is_of, summarised
from harness.history.trend import history as of_folder
from harness.history.trend_text import tables
from harness.model import Report
from harness.reports.json import ascii_json
from harness.reports.text import one_line


def history(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of reports.")] = Path("reports"),
    limit: Annotated[int, typer.Option(min=1, help="Show so many of the newest runs of each suite.")] = 30,
    suite: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this suite.")] = None,
    device: Annotated[Device | None, typer.Option(help="Only runs on this device.")] = None,
    candidate: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Only candidates with this in their name, digest, URL, model or its version."
        ),
    ] = None,
    last_promoted: Annotated[
        bool, typer.Option("--last-promoted", help="Print the last promoted release, to go back to.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the runs of a folder from the oldest to the newest: verdicts, what each changed, and trends.

    What is no report is named and left out. With --last-promoted it exits 3 where no report names a release:
    only whole runs of a container count.

    Example: harness history reports --candidate my-service --limit 10

    Example: harness history --last-promoted --json | jq -r .repo_digest
    """
    console = Console(stderr=True, highlight=False)

    def wanted(report: Report) -> bool:
        return (
            suite in {None, report.suite}
            and device in {None, report.candidate.device}
            and (candidate is None or is_of(report, candidate))
        )

    if last_promoted:
        found, _ = _read(folder, wanted, _as_release, console)
        _print_release(found, console, as_json=as_json)
        return
    summaries, left_out = _read(folder, wanted, summarised, console)
    groups = of_folder(summaries, limit)
    if as_json:
        problems = {each.path.name: each.problem for each in left_out}
        sys.stdout.write(ascii_json(HistoryDocument(groups=groups, left_out=problems)))
    else:
        _print_tables(groups)


T = TypeVar("T")


def _read(
    folder: Path, wanted: Callable[[Report], bool], keep: Callable[[Stored], T], console: Console
) -> tuple[list[T], list[Skipped]]:
    """What is kept of each report that is wanted; one at a time is in memory. What is none is named."""
    kept, skipped = [], []
    bars = Bars(
        TextColumn("  reading reports"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    paths = report_paths(folder)
    with bars:
        task = bars.add_task("", total=len(paths))
        for read in read_reports(paths, lambda done, _total: bars.update(task, completed=done)):
            if isinstance(read, Skipped):
                skipped.append(read)
            elif wanted(read.report):
                kept.append(keep(read))
    for each in skipped:
        _say(console, f"left out {each.path}: {each.problem}")
    return kept, skipped


def _print_tables(groups: Sequence[HistoryGroup]) -> None:
    console = stdout_console()
    if not groups:
        _say(console, "no such run")
    for table in (table for group in groups for table in tables(group)):
        console.print(table.rich())
        console.print()


def _as_release(stored: Stored) -> tuple[object, str, Release]:
    return stored.started, why_no_release(stored.report), release(stored)


def _print_release(found: Sequence[tuple[Any, str, Release]], console: Console, *, as_json: bool) -> None:
    ordered = sorted(found, key=lambda each: each[0])
    last = rollback_pointer([each for _, why, each in ordered if not why])
    if last is None:
        why_not = Counter(why for _, why, _ in ordered)
        told = "; ".join(f"{count}: {why}" for why, count in why_not.most_common()) or "there is none"
        _say(console, f"no report names a release to go back to ({told})", style="bold red")
        raise typer.Exit(ExitCode.REJECT)
    if as_json:
        sys.stdout.write(ascii_json(last))
        return
    out = stdout_console()
    for title, each in (("last promoted", last), ("before it", last.previous)):
        if each is not None:
            _say(out, f"{title}: {each.repo_digest or each.image_id}", style="bold")
            _say(out, "\n".join(_particulars(each)))


def _particulars(of: Release) -> Iterator[str]:
    reference = "none" if of.reference is None else release_name(of.reference)
    yield f"  image {of.image or 'unnamed'}, model version {of.model.version or 'unknown'}"
    yield f"  suite {of.suite} on {of.device}, promoted {of.finished_at}, against {reference}"
    yield f"  {of.report}"


def _say(console: Console, text: str, style: str = "") -> None:
    for line in text.splitlines():
        console.print(Text(one_line(line), style=style), soft_wrap=True)
