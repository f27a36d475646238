"""``harness history``: a folder of reports over time, and the release to go back to."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from harness.cli.console import wide_console
from harness.cli.run import Device
from harness.errors import ExitCode, UsageError
from harness.history.belief import why_not_believed
from harness.history.folder import Skipped, Stored, read_reports, report_paths
from harness.history.promoted import Judged, Release, judged, promotes, rollback_pointer
from harness.history.trend import HistoryDocument, HistoryGroup, is_of, summarised
from harness.history.trend import history as of_folder
from harness.history.trend_text import tables
from harness.model import Report
from harness.reports.json import ascii_json
from harness.reports.summary import release_name
from harness.reports.text import one_line

NEWEST = 30
"""Runs of each suite and device that are shown."""


def history(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of reports.")] = Path("reports"),
    limit: Annotated[
        int | None,
        typer.Option(min=1, help=f"Show so many of the newest runs of each suite. Default: {NEWEST}."),
    ] = None,
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
    only whole runs of a container count, and only an image whose newest run on each device promotes it.

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
        if limit is not None:
            raise UsageError(
                "--last-promoted names one release: --limit would do nothing", fix="leave one of them out"
            )
        # All runs count, also those that are not asked for: what a run promoted, another may have rejected.
        now = datetime.now(UTC)
        runs, _ = _read(
            folder,
            lambda _: True,
            lambda stored: (judged(stored), wanted(stored.report)),
            console,
            lambda stored: why_not_believed(stored, now),
        )
        _print_release(runs, console, as_json=as_json)
        return
    summaries, left_out = _read(folder, wanted, summarised, console)
    groups = of_folder(summaries, limit or NEWEST)
    if as_json:
        problems = {each.path.name: each.problem for each in left_out}
        sys.stdout.write(ascii_json(HistoryDocument(groups=groups, left_out=problems)))
    else:
        _print_tables(groups)


T = TypeVar("T")


def _read(
    folder: Path,
    wanted: Callable[[Report], bool],
    keep: Callable[[Stored], T],
    console: Console,
    doubt: Callable[[Stored], str] = lambda _stored: "",
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
        for read in read_reports(paths, lambda done, _total: bars.update(task, completed=done), doubt):
            if isinstance(read, Skipped):
                skipped.append(read)
            elif wanted(read.report):
                kept.append(keep(read))
    for each in skipped:
        _say(console, f"left out {each.path}: {each.problem}")
    return kept, skipped


def _print_tables(groups: Sequence[HistoryGroup]) -> None:
    console = wide_console()
    if not groups:
        _say(console, "no such run")
    for table in (table for group in groups for table in tables(group)):
        console.print(table.rich())
        console.print()


def _print_release(runs: Sequence[tuple[Judged, bool]], console: Console, *, as_json: bool) -> None:
    """The pointer among those runs that are asked for; which promotes still hold, all runs say."""
    asked = {run.path for run, wanted in runs if wanted}
    found = [each for each in promotes([run for run, _ in runs]) if each.run.path in asked]
    against = {each.run.path: each.against for each in found if each.against is not None}
    for other, path in {other.path: path for path, other in reversed(against.items())}.items():
        _say(console, f"left out {path}: {_contradiction(against[path])} ({other})")
    last = rollback_pointer([each.run for each in found if each.against is None])
    if last is None:
        why_not = Counter(
            _contradiction(against[run.path]) if run.path in against else run.why_no_release
            for run, wanted in runs
            if wanted
        )
        told = "; ".join(f"{count}: {why}" for why, count in why_not.most_common()) or "there is none"
        _say(console, f"no report names a release to go back to ({told})", style="bold red")
        raise typer.Exit(ExitCode.REJECT)
    if as_json:
        sys.stdout.write(ascii_json(last))
        return
    out = wide_console()
    for title, each in (("last promoted", last), ("before it", last.previous)):
        if each is not None:
            _say(out, f"{title}: {each.repo_digest or each.image_id}", style="bold")
            _say(out, "\n".join(_particulars(each)))


def _contradiction(by: Judged) -> str:
    return f"the newest run of its image on {by.release.device} says {by.decision.value}"


def _particulars(of: Release) -> Iterator[str]:
    reference = "none" if of.reference is None else release_name(of.reference)
    yield f"  image {of.image or 'unnamed'}, model version {of.model.version or 'unknown'}"
    yield f"  suite {of.suite} on {of.device}, promoted {of.finished_at}, against {reference}"
    yield f"  {of.report}"


def _say(console: Console, text: str, style: str = "") -> None:
    for line in text.splitlines():
        console.print(Text(one_line(line), style=style), soft_wrap=True)
