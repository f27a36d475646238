"""Reads the manifest. Its text is the candidate's: every part may be missing or of another type."""

import json
import re
from dataclasses import dataclass
from typing import Any

from harness.checks.artifact.folder import ArtifactFolder, plain
from harness.checks.artifact.settings import ArtifactSettings
from harness.pointer import PointerError, resolve

LARGEST_BYTES = 4 * 1024 * 1024
MOST_CHARACTERS = 300
SHA256 = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


@dataclass(frozen=True)
class Manifest:
    """A manifest that could be read.

    Attributes:
        document: The JSON object.
        listed: The files that it lists, with the SHA-256 of each in small letters.
        refused: What it lists and no file can be: paths that leave the folder, digests that are none.
        problem: Why there is no list; empty if there is one.
    """

    document: dict[str, Any]
    listed: dict[str, str]
    refused: tuple[str, ...]
    problem: str

    def at(self, pointer: str | None) -> Any:
        """What stands at a pointer, None where nothing does."""
        if pointer is None:
            return None
        try:
            return resolve(self.document, pointer)
        except PointerError:
            return None

    def text(self, pointer: str | None) -> str | None:
        """A string at a pointer, None for anything else."""
        value = self.at(pointer)
        return value[:MOST_CHARACTERS] if isinstance(value, str) else None


class ManifestError(ValueError):
    """There is no manifest, or it is not a JSON object."""


def read_manifest(folder: ArtifactFolder, settings: ArtifactSettings) -> Manifest:
    """Read the manifest of a folder.

    Raises:
        ManifestError: it can't be read at all; the message says why.
    """
    where = f"{settings.folder}/{settings.manifest}"
    if folder.problem:
        raise ManifestError(folder.problem)
    entry = folder.files.get(settings.manifest)
    if entry is None:
        kind = folder.irregular.get(settings.manifest)
        raise ManifestError(f"{where} is {kind}" if kind else f"there is no {where} in the image")
    if entry.info.size > LARGEST_BYTES:
        raise ManifestError(f"{where} has {entry.info.size} bytes, more than {LARGEST_BYTES}")
    try:
        document = json.loads(entry.read(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{where} is not JSON: {str(error)[:MOST_CHARACTERS]}") from error
    if not isinstance(document, dict):
        raise ManifestError(f"{where} is not a JSON object")
    return _with_files(document, settings.files)


def _with_files(document: dict[str, Any], pointer: str) -> Manifest:
    manifest = Manifest(document, {}, (), "")
    files = manifest.at(pointer)
    if not isinstance(files, dict) or not files:
        return Manifest(document, {}, (), f"the manifest lists no files at {pointer}")
    listed, refused = {}, []
    for name, digest in files.items():
        match = SHA256.fullmatch(digest) if isinstance(digest, str) else None
        if not plain(name):
            refused.append(f"{name[:MOST_CHARACTERS]!r} is no path inside the folder")
        elif match is None:
            refused.append(f"{name[:MOST_CHARACTERS]!r} has no SHA-256")
        else:
            listed[name] = match[1].lower()
    return Manifest(document, listed, tuple(refused), "")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two members of one name, one reader would take the first and another the last."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("an object has two members of one name")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
