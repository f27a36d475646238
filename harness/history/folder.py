"""A folder of reports: what can be read of it, and what cannot."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import ConfigError, UsageError
from harness.model import Report
from harness.reports.store import load_report

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Stored:
    """A report and where it lies."""

    path: Path
    report: Report

    @property
    def started(self) -> tuple[datetime, str]:
        """Sorts runs from the oldest to the newest; one whose time cannot be read comes first."""
        return moment(self.report.started_at) or _EARLIEST, self.report.run_id


def moment(text: str) -> datetime | None:
    """A time of a report, or None; without a zone it is UTC, as all that harness writes."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Skipped:
    """A file that is no report, or none to believe, and why."""

    path: Path
    problem: str


def report_paths(folder: Path) -> tuple[Path, ...]:
    """The JSON files in a folder, by name.

    Raises:
        UsageError: it is no folder, or cannot be read.
    """
    try:
        return tuple(sorted(path for path in folder.iterdir() if path.suffix == ".json"))
    except OSError as error:
        raise UsageError(
            f"{folder}: no folder of reports ({error.strerror or error})",
            fix="name the folder that `harness run --out` writes to",
        ) from error


def read_report(path: Path) -> Stored | Skipped:
    """One file of a folder."""
    try:
        return Stored(path, load_report(path))
    except ConfigError as error:
        return Skipped(path, str(error).removeprefix(f"{path}: "))


def read_reports(
    paths: Sequence[Path],
    progress: Callable[[int, int], None],
    doubt: Callable[[Stored], str] = lambda _stored: "",
) -> Iterator[Stored | Skipped]:
    """Each file in turn; a run that was read already is skipped, as is what is no report or in doubt.

    Args:
        paths: From :func:`report_paths`.
        progress: Called with (done, total) files.
        doubt: Why a report is not believed; empty where it is.
    """
    seen: dict[str, Path] = {}
    for done, path in enumerate(paths):
        progress(done, len(paths))
        read = read_report(path)
        if isinstance(read, Stored) and (why := doubt(read)):
            read = Skipped(path, why)  # before it could stand in for the run that it names
        if isinstance(read, Stored):
            first = seen.setdefault(read.report.run_id, path)
            read = read if first is path else Skipped(path, f"the same run as {first.name}")
        yield read
    progress(len(paths), len(paths))
