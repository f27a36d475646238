"""The files and environment that a suite hands to its service, filled with the secrets of the run."""

from collections.abc import Mapping
from pathlib import Path

from harness.config.service import FileSettings
from harness.errors import ConfigError
from harness.targets.scratch import ScratchFolder
from harness.template import TemplateError, fill


class HandedFiles:
    """Writes the declared files into a folder that only this user can enter; removes it on exit."""

    def __init__(self, files: Mapping[str, FileSettings], values: Mapping[str, str]) -> None:
        self._files = files
        self._values = values
        self._scratch = ScratchFolder()

    def __enter__(self) -> dict[str, Path]:
        """The path on this machine of each file, by name.

        Raises:
            ConfigError: for a placeholder that nothing fills.
        """
        folder = self._scratch.__enter__()
        paths = {}
        try:
            for name, file in self._files.items():
                path = folder / name
                path.write_text(
                    filled(file.content, self._values, key=f"service.files.{name}.content"), encoding="utf-8"
                )
                path.chmod(0o444)  # the service runs as another user; the folder keeps others out
                paths[name] = path
        except BaseException:
            self.__exit__()
            raise
        return paths

    def __exit__(self, *_exc: object) -> None:
        self._scratch.__exit__()


def filled(text: str, values: Mapping[str, str], *, key: str) -> str:
    """``text`` with its placeholders filled.

    Raises:
        ConfigError: naming ``key`` and what would do.
    """
    try:
        return fill(text, values)
    except TemplateError as error:
        raise ConfigError(file="gate.toml", key=key, problem=str(error)) from error


def filled_all(texts: Mapping[str, str], values: Mapping[str, str], *, key: str) -> dict[str, str]:
    """:func:`filled` over the values of a table."""
    return {name: filled(text, values, key=f"{key}.{name}") for name, text in texts.items()}
