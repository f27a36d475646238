"""Reads an image's archive, as `docker save` writes it, without unpacking anything.

Everything in it is the candidate's: names and contents are only looked at, never followed or run.
"""

import json
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import IO, Any

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
LARGEST_DOCUMENT = 16 * 1024 * 1024
CHUNK = 1024 * 1024
MOST_ENTRIES = 1_000_000
"""Of all layers together: each takes a kilobyte of memory, and half of one in an archive."""
UNREADABLE = (
    tarfile.TarError,
    zlib.error,
    KeyError,
    TypeError,
    ValueError,
    EOFError,
    OSError,
    RecursionError,
)


class ArchiveError(ValueError):
    """The archive is not one of an image."""


@dataclass(frozen=True)
class Entry:
    """One entry of a layer.

    Attributes:
        layer: Number of the layer, from 1.
        path: Without a leading ``/``; ``..`` resolved by name alone.
        info: What the layer says of it.
    """

    layer: int
    path: str
    info: tarfile.TarInfo
    _tar: tarfile.TarFile = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return posixpath.basename(self.path)

    def read(self) -> bytes:
        """All of a regular file; look at ``info.size`` first.

        Raises:
            ArchiveError: the archive is damaged here.
        """
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """A regular file in parts of at most 1 MiB.

        Raises:
            ArchiveError: as :meth:`read`.
        """
        try:
            content = self._tar.extractfile(self.info) if self.info.isfile() else None
            while content is not None and (chunk := content.read(CHUNK)):
                yield chunk
        except UNREADABLE as error:
            raise _unreadable(error) from error


@dataclass(frozen=True)
class ImageArchive:
    """An open archive.

    Attributes:
        config: The image's configuration, as it names itself by its digest.
    """

    config: dict[str, Any]
    _layers: tuple[tarfile.TarFile, ...]

    def layers(self) -> Iterator[Iterator[Entry]]:
        """The entries of each layer, from the lowest; each is read once, while it is iterated.

        Raises:
            ArchiveError: a layer is damaged, or they hold more than is read.
        """
        counted = count(1)
        for number, layer in enumerate(self._layers, 1):
            yield _entries(number, layer, counted)


@contextmanager
def open_archive(path: Path) -> Iterator[ImageArchive]:
    """Open what `docker save` wrote of one image.

    Raises:
        ArchiveError: it is not the archive of one image.
    """
    try:
        outer = tarfile.open(path)  # noqa: SIM115 - closed below; its errors are to be told apart from the body's
    except UNREADABLE as error:
        raise _unreadable(error) from error
    with outer:
        try:
            (manifest,) = _document(outer, "manifest.json")
            config = _document(outer, manifest["Config"])
            layers = tuple(_layer(outer, name) for name in manifest["Layers"])
        except UNREADABLE as error:
            raise _unreadable(error) from error
        if not isinstance(config, dict):
            raise ArchiveError("the image's configuration is not an object")
        yield ImageArchive(config, layers)


@dataclass
class FileSystem:
    """What the layers so far amount to: the entry at each path, folders too where a layer names them."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def put(self, layer: Sequence[Entry]) -> None:
        """Put a layer over those before it; a whiteout speaks of the layers below, never of its own."""
        whole: set[str] = set()
        below: set[str] = set()
        for entry in layer:
            if entry.name == OPAQUE:
                below.add(posixpath.dirname(entry.path))
            elif entry.name.startswith(WHITEOUT):
                folder, name = posixpath.split(entry.path)
                whole.add(posixpath.join(folder, name.removeprefix(WHITEOUT)))
            elif not entry.info.isdir():
                below.add(entry.path)
        if whole or below:
            self.entries = {
                path: entry
                for path, entry in self.entries.items()
                if path not in whole and not any(each in whole or each in below for each in parents(path))
            }
        self.entries |= {entry.path: entry for entry in layer if not entry.name.startswith(WHITEOUT)}


def parents(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first and the root (the empty path) last."""
    while path:
        path = posixpath.dirname(path)
        yield path


def _entries(number: int, layer: tarfile.TarFile, counted: Iterator[int]) -> Iterator[Entry]:
    try:
        for info in layer:
            if next(counted) > MOST_ENTRIES:
                raise ArchiveError(f"the layers have more than {MOST_ENTRIES} entries")
            yield Entry(number, posixpath.normpath(f"/{info.name}").lstrip("/"), info, layer)
    except UNREADABLE as error:
        raise _unreadable(error) from error


def _layer(archive: tarfile.TarFile, name: str) -> tarfile.TarFile:
    return tarfile.open(fileobj=_member(archive, name))


def _document(archive: tarfile.TarFile, name: str) -> Any:
    if archive.getmember(name).size > LARGEST_DOCUMENT:
        raise ArchiveError(f"{PurePosixPath(name).name} has more than {LARGEST_DOCUMENT} bytes")
    return json.load(_member(archive, name))


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise ArchiveError(f"{name} is not a file")
    return found


def _unreadable(error: Exception) -> ArchiveError:
    if isinstance(error, ArchiveError):
        return error
    return ArchiveError(f"the image's archive cannot be read: {type(error).__name__}: {error}")
