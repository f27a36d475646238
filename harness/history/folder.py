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
        try:
            started = datetime.fromisoformat(self.report.started_at)
        except ValueError:
            started = _EARLIEST
        # Without a zone it is UTC, as all that harness writes.
        return started if started.tzinfo else started.replace(tzinfo=UTC), self.report.run_id


@dataclass(frozen=True)
class Skipped:
    """A file that is no report, and why."""

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


def read_reports(paths: Sequence[Path], progress: Callable[[int, int], None]) -> Iterator[Stored | Skipped]:
    """Each file in turn; a run that was read already is skipped, as is what is no report.

    Args:
        paths: From :func:`report_paths`.
        progress: Called with (done, total) files.
    """
    seen: dict[str, Path] = {}
    for done, path in enumerate(paths):
        progress(done, len(paths))
        read = read_report(path)
        if isinstance(read, Stored):
            first = seen.setdefault(read.report.run_id, path)
            read = read if first is path else Skipped(path, f"the same run as {first.name}")
        yield read
    progress(len(paths), len(paths))
