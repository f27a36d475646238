"""A temporary folder that a later run removes when this one is killed."""

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from harness.disk import disk_errors
from harness.owner import Owner
from harness.targets.uninterrupted import uninterrupted

PREFIX = "harness-scratch-"
OWNER_FILE = ".owner"
NAMELESS_S = 3600.0
"""An empty folder without an owner for so long is of a run that was killed before it could write its name."""


class ScratchFolder:
    """A folder that only this user can enter; removed on exit."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def __enter__(self) -> Path:
        """Make it.

        Raises:
            InfrastructureError: the disk is full.
        """
        try:
            with uninterrupted(), disk_errors(Path(tempfile.gettempdir())):
                self._folder = folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # mode 0700
                (folder / OWNER_FILE).write_text(str(Owner.current()), encoding="utf-8")
        except BaseException:
            self.__exit__()
            raise
        return folder

    def __exit__(self, *_exc: object) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def remove_orphan_folders() -> list[str]:
    """Remove the folders of dead runs on this machine, with the secrets in them; return their names."""
    removed = []
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        try:
            owner = Owner.parse((folder / OWNER_FILE).read_text(encoding="utf-8"))
        except OSError:
            if _removed_as_nameless(folder):
                removed.append(folder.name)
            continue  # another user's, or just being made
        if owner.is_gone():
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    return removed


def _removed_as_nameless(folder: Path) -> bool:
    with suppress(OSError):
        if time.time() - folder.stat().st_mtime > NAMELESS_S:
            folder.rmdir()
            return True
    return False
