"""Print the outputs of the action for a report, a line each: ``python outputs.py reports/RUN.json``."""

import re
import sys
from pathlib import Path

from harness.reports.store import load_report

DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})")


def main(path: Path) -> None:
    """Write ``decision``, ``report-path`` and ``image-digest`` as GITHUB_OUTPUT takes them."""
    report = load_report(path)
    # A line of our own making only: whatever else stands there is no digest.
    digest = DIGEST.search(report.candidate.repo_digest or "")
    sys.stdout.write(f"decision={report.decision}\n")
    sys.stdout.write(f"report-path={path}\n")
    sys.stdout.write(f"image-digest={digest[1] if digest else ''}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
