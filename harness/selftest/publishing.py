"""Writes a selftest's document, as JSON, HTML and Markdown, and points the folder of reports at it."""

import os
import secrets
from pathlib import Path

from harness.errors import InfrastructureError
from harness.reports.json import ascii_json
from harness.selftest.document import LATEST, SelftestDocument
from harness.selftest.page import page
from harness.selftest.tables import markdown


def publish(document: SelftestDocument, folder: Path) -> Path:
    """Write it into ``folder``, the JSON last, and have ``latest.json`` beside that folder lead to it.

    Returns:
        The path of the JSON.

    Raises:
        InfrastructureError: the disk is full or failing; what was there before is still whole.
    """
    stem = document.mode.value
    path = folder / f"{stem}.json"
    try:
        _write(folder / f"{stem}.html", page(document))
        _write(folder / f"{stem}.md", markdown(document))
        _write(path, ascii_json(document))
        _link(folder.parent / LATEST, Path(folder.name, path.name))
    except OSError as error:
        raise InfrastructureError(
            f"{folder}: the selftest could not be written ({error.strerror or error})",
            fix="free disk space and run again: no trial is lost",
        ) from error
    return path


def _write(path: Path, text: str) -> None:
    """Write aside, flush to disk, then take the final name in one step."""
    aside = _aside(path)
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _link(path: Path, to: Path) -> None:
    aside = _aside(path)
    try:
        aside.symlink_to(to)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")
