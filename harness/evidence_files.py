"""Digests of a run's evidence, so that a stored run can be trusted later."""

import hashlib
from pathlib import Path


def digests(root: Path, check_id: str) -> dict[str, str]:
    """SHA-256 of every file of one check, by path relative to ``root``; links are left out."""
    files = sorted(path for path in (root / check_id).rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(root).as_posix(): sha256_file(path) for path in files}


def sha256_file(path: Path) -> str:
    """Hex digest of a file of any size."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
