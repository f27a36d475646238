"""Reads an image's archive, as `docker save` writes it, without unpacking anything.

Everything in it is the candidate's: names and contents are only looked at, never followed or run.
"""

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

SETUID = 0o4000
SETGID = 0o2000
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----\s{1,9}(?:Proc-Type: |[A-Za-z0-9+/=]{40})"
)
"""With a line of its content: source code that only mentions the marker is no key."""
CREDENTIAL_FILES = frozenset(
    {
        ".netrc",
        ".pgpass",
        ".pypirc",
        ".git-credentials",
        ".aws/credentials",
        ".docker/config.json",
        ".kube/config",
        ".config/gcloud/application_default_credentials.json",
        ".ssh/id_rsa",
        ".ssh/id_ecdsa",
        ".ssh/id_ed25519",
    }
)
PASSWD = "etc/passwd"  # noqa: S105 - the file of users
MOST_SIGHTINGS = 100


class ArchiveError(ValueError):
    """The archive is not one of an image."""


@dataclass(frozen=True)
class Archive:
    """What the files of an image show.

    Attributes:
        config: The image's configuration, as it names itself by its digest.
        setuid: Files of the final file system with the setuid or setgid bit.
        secrets: Where a layer holds a private key or a file of credentials, also if a later one deletes it.
        users: Name to uid, of the final ``/etc/passwd``.
        files: How many files all layers have.
    """

    config: dict[str, Any]
    setuid: tuple[str, ...]
    secrets: tuple[str, ...]
    users: dict[str, int]
    files: int


def read_archive(path: Path, *, largest_searched: int) -> Archive:
    """Read every layer of the archive once.

    Args:
        path: What `docker save` wrote.
        largest_searched: Files of more bytes are not searched for keys.

    Raises:
        ArchiveError: it is not the archive of one image.
    """
    try:
        with tarfile.open(path) as outer:
            (manifest,) = json.load(_member(outer, "manifest.json"))
            config = json.load(_member(outer, manifest["Config"]))
            seen = _Seen(largest_searched)
            for number, name in enumerate(manifest["Layers"], 1):
                with tarfile.open(fileobj=_member(outer, name)) as layer:
                    seen.layer(number, layer)
    except (tarfile.TarError, KeyError, TypeError, ValueError, EOFError, OSError) as error:
        raise ArchiveError(f"the image's archive cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(config, dict):
        raise ArchiveError("the image's configuration is not an object")
    return Archive(
        config=config,
        setuid=tuple(sorted(f"/{name}" for name in seen.setuid)),
        secrets=tuple(seen.secrets),
        users=seen.users,
        files=seen.files,
    )


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    found = archive.extractfile(name)
    if found is None:
        raise ArchiveError(f"{name} is not a file")
    return found


@dataclass
class _Seen:
    """What the layers so far amount to."""

    largest_searched: int
    setuid: set[str] = field(default_factory=set)
    secrets: list[str] = field(default_factory=list)
    users: dict[str, int] = field(default_factory=dict)
    files: int = 0

    def layer(self, number: int, layer: tarfile.TarFile) -> None:
        """Put a layer over those before it."""
        gone: list[str] = []
        there: set[str] = set()
        for entry in layer:
            name = str(PurePosixPath("/", entry.name)).lstrip("/")
            path = PurePosixPath(name)
            if path.name == OPAQUE:
                gone.append(f"{path.parent}/")
            elif path.name.startswith(WHITEOUT):
                gone += (
                    [str(path.with_name(path.name.removeprefix(WHITEOUT)))] if path.name != WHITEOUT else []
                )
            elif entry.isfile() or entry.islnk():
                self.files += 1
                self.setuid.discard(name)
                if entry.mode & (SETUID | SETGID):
                    there.add(name)
                if entry.isfile():
                    self._look_into(number, name, layer, entry)
            elif not entry.isdir():
                self.setuid.discard(name)
        for removed in gone:
            folder = removed.rstrip("/") + "/"
            self.setuid -= {name for name in self.setuid if name == removed or name.startswith(folder)}
        # A whiteout speaks of the layers below, never of its own.
        self.setuid |= there

    def _look_into(self, number: int, name: str, layer: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        if name == PASSWD and entry.size <= self.largest_searched:
            self.users = dict(_users(_content(layer, entry)))
        if any(name == known or name.endswith(f"/{known}") for known in CREDENTIAL_FILES) and entry.size:
            self._sighted(f"layer {number}: /{name} holds credentials")
        elif entry.size <= self.largest_searched:
            content = _content(layer, entry)
            if b"PRIVATE KEY" in content and PRIVATE_KEY.search(content):
                self._sighted(f"layer {number}: /{name} holds a private key")

    def _sighted(self, where: str) -> None:
        if len(self.secrets) < MOST_SIGHTINGS:
            self.secrets.append(where)


def _content(layer: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    found = layer.extractfile(entry)
    return found.read() if found else b""


def _users(passwd: bytes) -> Iterator[tuple[str, int]]:
    for line in passwd.decode("utf-8", "replace").splitlines():
        name, *fields = line.split(":")
        if len(fields) > 1 and fields[1].isdecimal():
            yield name, int(fields[1])
