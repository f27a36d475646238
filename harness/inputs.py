"""Digests of the files of a suite that a check reads, so that a later judgement sees whether they changed."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from harness.checks.interface import AnyCheck
from harness.config.section import FamilySettings
from harness.config.suite import Suite
from harness.errors import ConfigError
from harness.evidence_files import sha256_file


@dataclass(frozen=True)
class _Recording(Suite):
    """A suite that knows which of its paths were asked for."""

    resolved: list[Path] = field(default_factory=list)

    def resolve(self, relative: str, *, key: str) -> Path:
        path = super().resolve(relative, key=key)
        self.resolved.append(path)
        return path


def input_digests(check: AnyCheck, suite: Suite, settings: FamilySettings) -> dict[str, str]:
    """SHA-256 of each file that ``check`` reads, all files of a folder, by path relative to gate.toml.

    Raises:
        ConfigError: when one is missing or wrong.
    """
    recording = _Recording(suite.path, suite.text, suite.config)
    check.verify_inputs(recording, settings)
    return {
        PurePath(os.path.relpath(file, suite.folder)).as_posix(): _digest(file)
        for file in sorted(_files(recording.resolved))
    }


def _digest(file: Path) -> str:
    try:
        return sha256_file(file)
    except OSError as error:
        raise ConfigError(file=file, problem=f"cannot be read ({error.strerror or error})") from error


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        yield from (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)
