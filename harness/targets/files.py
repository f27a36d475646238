"""The files and environment that a suite hands to its service, filled with the secrets of the run."""

from collections.abc import Mapping
from pathlib import Path

from harness.config.building import FileSettings
from harness.disk import disk_errors
from harness.targets.scratch import ScratchFolder
from harness.template import fill


class HandedFiles:
    """Writes the declared files into a folder that only this user can enter; removes it on exit."""

    def __init__(self, files: Mapping[str, FileSettings], values: Mapping[str, str]) -> None:
        self._files = files
        self._values = values
        self._scratch = ScratchFolder()

    def __enter__(self) -> dict[str, Path]:
        """The path on this machine of each file, by name."""
        folder = self._scratch.__enter__()
        paths = {}
        try:
            with disk_errors(folder.parent):
                for name, file in self._files.items():
                    path = folder / name
                    path.write_text(fill(file.content, self._values), encoding="utf-8")
                    # The service runs as another user, of this one's group; the folder keeps others out.
                    path.chmod(0o440 if file.private else 0o444)
                    paths[name] = path
        except BaseException:
            self.__exit__()
            raise
        return paths

    def __exit__(self, *_exc: object) -> None:
        self._scratch.__exit__()


def filled_all(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """A table of templates, filled."""
    return {name: fill(text, values) for name, text in texts.items()}
