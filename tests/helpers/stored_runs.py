"""What a folder of reports holds, believed only as far as it can be judged again."""

from datetime import date

from harness.rejudge import rejudge
from harness.reports.store import load_report


def verdicts(out):
    """The decision of each run in a folder; raises for one that is not whole, or not as its evidence."""
    found = []
    for path in sorted(out.glob("*.json")):
        decided = rejudge(path, None, today=date(2026, 11, 22))
        assert decided.report.decision is decided.stored is load_report(path).decision
        found.append(decided.stored.value)
    latest = out / "latest"
    assert not latest.is_symlink() or latest.resolve().is_file()
    return found


def hidden(out):
    """What lies there of runs that did not end."""
    return sorted(path.name for path in out.glob(".*")) if out.exists() else []


def remains(folder):
    """What lies there; hidden files too."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
