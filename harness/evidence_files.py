"""Digests of a run's evidence, so that a stored run can be trusted later."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from harness.errors import ConfigError


def digests(root: Path, check_id: str) -> dict[str, str]:
    """SHA-256 of every file of one check, by path relative to ``root``; links are left out."""
    files = sorted(path for path in (root / check_id).rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(root).as_posix(): sha256_file(path) for path in files}


def sha256_file(path: Path) -> str:
    """Hex digest of a file of any size."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(files: Mapping[str, str], folder: Path) -> None:
    """Hold files against the digests that a report has of them.

    Args:
        files: SHA-256 of each, by path relative to ``folder``.
        folder: The run's evidence.

    Raises:
        ConfigError: one is missing, differs, or lies outside ``folder``.
    """
    for relative, expected in files.items():
        path = _inside(folder, relative)
        try:
            actual = sha256_file(path)
        except OSError as error:
            raise ConfigError(file=path, problem=f"cannot be read ({error.strerror or error})") from error
        if actual != expected:
            raise ConfigError(
                file=path,
                problem=f"changed since the run: its SHA-256 is {actual}, the report says {expected}",
            )


def _inside(folder: Path, relative: str) -> Path:
    """The regular file at ``relative``; a report from elsewhere must not make us read anything else."""
    parts = PurePosixPath(relative).parts
    if not parts or parts[0].startswith("/") or ".." in parts or "\0" in relative:
        raise ConfigError(
            file=folder, key="evidence_files", value=relative, problem="outside the evidence folder"
        )
    path = folder
    for part in parts:
        path /= part
        try:
            mode = path.lstat().st_mode
        except OSError as error:
            raise ConfigError(file=path, problem=f"evidence is missing ({error.strerror})") from error
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            raise ConfigError(file=path, problem="evidence must be a plain file, not a link or device")
    return path
