"""A temporary folder that a later run removes when this one is killed."""

import shutil
import tempfile
from pathlib import Path

from harness.owner import Owner

PREFIX = "harness-scratch-"
OWNER_FILE = ".owner"


class ScratchFolder:
    """A folder that only this user can enter; removed on exit."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def __enter__(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # mode 0700
        (self._folder / OWNER_FILE).write_text(str(Owner.current()), encoding="utf-8")
        return self._folder

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
            continue  # another user's, or just being made
        if owner.is_gone():
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
    return removed
