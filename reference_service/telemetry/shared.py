"""The folder in which several workers share what they count, and the key of their input hashes.

`prometheus_client` decides when it is imported whether to count in memory or in files: the variable must be
in the environment of a worker before that.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY = "input_hash.key"
KEY_BYTES = 32
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MEMORY = Path("/dev/shm")  # noqa: S108  # the folder made in it is new, and this user's alone


def shared_folder() -> Path | None:
    """Return the folder of this worker and its siblings; None for a process that counts alone."""
    folder = os.environ.get(VARIABLE)
    return Path(folder) if folder else None


def shared_key() -> bytes | None:
    """Return the key that this worker and its siblings have in common; None for a process that is alone."""
    folder = shared_folder()
    return (folder / KEY).read_bytes() if folder else None


def counts_file(folder: Path, pid: int) -> Path:
    """Return the file in which a worker counts the rows of drift."""
    return folder / f"drift_{pid}.counts"


def counts_files(folder: Path) -> Iterator[Path]:
    """Return those of all workers that live."""
    return folder.glob("drift_*.counts")


@contextmanager
def sharing() -> Iterator[Path]:
    """Make the folder, name it in the environment, and remove both in the end: for the parent of the workers.

    In memory where there is a writable /dev/shm, which a container with a read-only root has as well.
    """
    parent = MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="reference-service-", dir=parent) as folder:
        (Path(folder) / KEY).write_bytes(secrets.token_bytes(KEY_BYTES))
        os.environ[VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[VARIABLE]


def forget_worker(folder: Path, pid: int) -> None:
    """Remove what was true only while a worker lived: gauges, and its part of the window of drift.

    What it counted otherwise stays counted.
    """
    counts_file(folder, pid).unlink(missing_ok=True)
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)
