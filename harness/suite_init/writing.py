"""Writes the suite: all of its files or none."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.checks.table import CHECKS
from harness.config.suite import load_suite
from harness.errors import UsageError
from harness.plan import verified_plan
from harness.targets.uninterrupted import uninterrupted

GATE_TOML = "gate.toml"
OPENAPI = "contracts/openapi.json"


def require_free(folder: Path, files: Sequence[str], *, force: bool) -> None:
    """Keep what is there unless told otherwise.

    Raises:
        UsageError: naming what is in the way.
    """
    for place in (folder, *folder.parents, *((folder / file).parent for file in files)):
        if place.exists() and not place.is_dir():
            raise UsageError(f"{place} is no folder", fix="--dir names another one")
    there = [file for file in files if (folder / file).exists()]
    if there and not force:
        raise UsageError(
            f"{folder} holds {', '.join(there)} already",
            fix="--dir names another folder; --force replaces these files",
        )


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder to write the suite into; where nothing is raised its files go into ``folder``, gate.toml last.

    Before that the suite is read as the gate reads it, with every file that it names.

    Raises:
        ConfigError: it is none.
        UsageError: the folder can't be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".harness-init-", dir=folder))
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", fix="--dir names a folder to write to") from error
    try:
        yield beside
        verified_plan(load_suite(beside / GATE_TOML), CHECKS)
        files = [path.relative_to(beside) for path in sorted(beside.rglob("*")) if path.is_file()]
        with uninterrupted():
            for file in sorted(files, key=lambda file: file == Path(GATE_TOML)):
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (beside / file).replace(folder / file)
    finally:
        shutil.rmtree(beside)
