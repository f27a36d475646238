"""Publishes a matrix of `harness selftest`: its JSON beside this file, its tables in docs/verdict-quality.md.

harness selftest --jobs 2
python -m benchmarks.kill_matrix
"""

import argparse
import shutil
import sys
from pathlib import Path

from benchmarks.page import KILLS, PAGE
from harness.config.suite import load_suite
from harness.errors import HarnessError
from harness.selftest.document import SelftestDocument, load_document
from harness.selftest.model import Mode, Result
from harness.selftest.subject import of_catalogue
from harness.selftest.tables import markdown, result_words

PUBLISHED = Path(__file__).with_name("matrix.json")
GATE = Path(__file__).resolve().parents[2] / "gate.toml"
_SHOWS_NOTHING = (None, Result.ERROR, Result.INACTIVE)


def objections(document: SelftestDocument, digest: str) -> list[str]:
    """Why a matrix is not to be published.

    Args:
        document: The matrix.
        digest: Of the catalogue, the suite's files and the harness as they are now.
    """
    matrix = document.matrix
    told = {
        "it is of the proxy's faults, not of the catalogue": document.proxied,
        f"it is {document.mode.value}, not quick": document.mode is not Mode.QUICK,
        f"it is of {document.policy_path}, not of gate.toml beside it": document.policy_path != GATE.name,
        f"its digest is {document.digest}, now {digest}: something was changed since": (
            document.digest != digest
        ),
    }
    without = {
        result_words(result): [row.entry.name for row in matrix.rows if row.result is result]
        for result in _SHOWS_NOTHING
    }
    return [
        *(why for why, applies in told.items() if applies),
        *(f"{what}: {', '.join(names)}" for what, names in without.items() if names),
    ]


def part_of_page(document: SelftestDocument) -> str:
    """Its tables, as a section within one of the page."""
    return f"#{markdown(document)}"


def publish(path: Path, digest: str, published: Path, page: Path) -> None:
    """Put a matrix into the page, then its JSON where that is published; both stay where it is refused.

    Raises:
        ConfigError: ``path`` is no selftest.
        ValueError: the matrix is not to be published, or the page has no place for it.
    """
    document = load_document(path)
    if why := objections(document, digest):
        raise ValueError(f"{path}: {'; '.join(why)}")
    KILLS.publish(part_of_page(document), page)
    shutil.copyfile(path, published)


def main(published: Path = PUBLISHED, page: Path = PAGE) -> None:
    """Publish a matrix of the whole catalogue."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_matrix", description=__doc__)
    latest = Path("reports", "selftest", "latest.json")
    parser.add_argument("matrix", type=Path, nargs="?", default=latest, help=f"default: {latest}")
    path = parser.parse_args().matrix
    try:
        publish(path, of_catalogue(load_suite(GATE)).digest, published, page)
    except (HarnessError, ValueError) as error:
        sys.exit(f"kill_matrix: {error}")


if __name__ == "__main__":
    main()
