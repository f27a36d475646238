"""The machine that the trials of a selftest share: many of them, or one that measures a latency."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def machine(folder: Path, *, alone: bool) -> Iterator[None]:
    """Wait for it, and hold it beside others or alone; the lock ends with the process, however that ends.

    Args:
        folder: The selftest's.
        alone: Whether nothing else may run meanwhile.
    """
    with (folder / ".machine").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
