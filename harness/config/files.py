"""What lies at a path: looked at before it is read, so that no reader fails on it or waits for it."""

import errno
import stat
from pathlib import Path

from harness.errors import ConfigError


def is_folder(name: str | Path) -> bool:
    """Whether a folder is there; of a name that no file can have, none is."""
    try:
        return Path(name).is_dir()
    except OSError:
        return False


def plain_file(path: Path) -> Path:
    """``path``, if it is a file or a link to one.

    Raises:
        OSError: it is missing, or it is a pipe, a socket or a device, of which reading might never end.
    """
    if stat.S_ISREG(path.stat().st_mode):
        return path
    raise OSError(errno.EINVAL, "not a plain file", str(path))


def read_bounded(path: Path, most_bytes: int, *, what: str) -> bytes:
    """What is in a file that somebody else may have written.

    Args:
        path: A file, a link to one, or a pipe.
        most_bytes: More is refused, and not read.
        what: It should be, for the error.

    Raises:
        ConfigError: it cannot be read, or is larger.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise ConfigError(file=path, problem=f"cannot be read ({error.strerror or error})") from error
    if len(data) > most_bytes:
        raise ConfigError(file=path, problem=f"larger than any {what} ({most_bytes} bytes)")
    return data
