"""A disk that is full says nothing of the candidate, nor is it a fault of ours."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import InfrastructureError

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a disk that is full or read-only, or a folder that is gone, into an error with its cause.

    Args:
        folder: What is written to within.

    Raises:
        InfrastructureError: nothing more can be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _OF_THE_DISK and folder.exists():
            raise
        raise InfrastructureError(
            f"{folder}: cannot be written any more ({error.strerror})", fix="free disk space and run again"
        ) from error
