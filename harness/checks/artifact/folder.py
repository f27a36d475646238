"""Finds the artifact's files in the archive of an image, as they are when all layers lie over each other."""

import hashlib
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.errors import InfrastructureError
from harness.image_archive import (
    WHITEOUT,
    ArchiveError,
    Entry,
    FileSystem,
    ImageArchive,
    open_archive,
    parents,
)

MOST_FILES = 10_000
MIB = 1024 * 1024


@dataclass(frozen=True)
class ArtifactFolder:
    """The folder; paths are relative to it.

    Attributes:
        problem: Why it can't be looked into; empty if it can.
        irregular: Links, devices and the like, with what they are.
    """

    problem: str
    files: dict[str, Entry]
    irregular: dict[str, str]

    def sha256(self, name: str) -> str:
        """Digest of a file."""
        digest = hashlib.sha256()
        for chunk in self.files[name].chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def copy(self, names: Iterator[str], target: Path) -> None:
        """Write files under a folder of this machine; each name is to be :func:`plain`."""
        for name in names:
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(self.files[name].chunks())


def plain(name: str) -> bool:
    """Whether a relative path leads nowhere but down, and is written in only one way."""
    parts = PurePosixPath(name).parts
    return bool(name) and ".." not in parts and name == "/".join(parts) and not {"\0", "\\"} & set(name)


@contextmanager
def opened(path: Path, folder: str, *, largest_mib: int) -> Iterator[ArtifactFolder]:
    """The artifact's folder in the archive of an image.

    Args:
        path: What `docker save` wrote.
        folder: Absolute, in the image.
        largest_mib: All files of it together.

    Raises:
        InfrastructureError: what the engine wrote is not the archive of an image.
    """
    try:
        with open_archive(path) as archive:
            yield _read(archive, folder.strip("/"), largest_mib)
    except ArchiveError as error:
        raise InfrastructureError(str(error)) from error


def _read(archive: ImageArchive, folder: str, largest_mib: int) -> ArtifactFolder:
    above = {folder, *parents(folder)}
    system = FileSystem()
    for layer in archive.layers():
        system.put([entry for entry in layer if _concerns(entry, folder, above)])
    links = [path for path in above if path in system.entries and not system.entries[path].info.isdir()]
    below = {
        path.removeprefix(f"{folder}/"): entry
        for path, entry in sorted(system.entries.items())
        if path.startswith(f"{folder}/")
    }
    files = {path: entry for path, entry in below.items() if entry.info.isfile()}
    both = [path for path in files if any(parent in files for parent in parents(path))]
    size_mib = sum(entry.info.size for entry in files.values()) / MIB
    problem = ""
    if links:
        problem = f"/{min(links)} is no folder; declare the path without links"
    elif not below:
        problem = f"there is no /{folder} in the image, or it is empty"
    elif both:
        problem = f"/{folder}/{both[0]} lies below a file"
    elif len(below) > MOST_FILES:
        problem = f"/{folder} holds {len(below)} files, more than {MOST_FILES}"
    elif size_mib > largest_mib:
        problem = f"/{folder} holds {size_mib:.0f} MiB, more than largest_mib = {largest_mib}"
    if problem:
        return ArtifactFolder(problem, {}, {})
    irregular = {path: _kind(entry) for path, entry in below.items() if path not in files}
    return ArtifactFolder("", files, {path: kind for path, kind in irregular.items() if kind})


def _concerns(entry: Entry, folder: str, above: set[str]) -> bool:
    if entry.path in above or entry.path.startswith(f"{folder}/"):
        return True
    return entry.name.startswith(WHITEOUT) and posixpath.dirname(entry.path) in above


def _kind(entry: Entry) -> str:
    """What is no regular file; empty for a folder."""
    if entry.info.isdir():
        return ""
    return "a symbolic link" if entry.info.issym() else "a hard link" if entry.info.islnk() else "a device"
