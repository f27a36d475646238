"""What the layers of an image show: setuid files, secrets, users."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checks.image import secrets
from harness.image_archive import Entry, FileSystem, open_archive

SETUID = 0o4000
SETGID = 0o2000
PASSWD = "etc/passwd"  # noqa: S105 - the file of users
UID = re.compile(r"[0-9]{1,10}")
MOST_SIGHTINGS = 100


@dataclass(frozen=True)
class Archive:
    """What the files of an image show.

    Attributes:
        config: The image's configuration, as it names itself by its digest.
        setuid: Files of the final file system with the setuid or setgid bit.
        secrets: Where a layer gives a secret away, also if a later one deletes it, by the file's path.
        users: Name to uid, of the final ``/etc/passwd``.
        files: How many files all layers have.
    """

    config: dict[str, Any]
    setuid: tuple[str, ...]
    secrets: dict[str, str]
    users: dict[str, int]
    files: int


def read_archive(path: Path, *, largest_searched: int, given: frozenset[bytes] = frozenset()) -> Archive:
    """Read every layer of the archive once.

    Args:
        path: What `docker save` wrote.
        largest_searched: Files of more bytes are not searched for secrets.
        given: Secrets that this run was given.

    Raises:
        ArchiveError: it is not the archive of one image.
    """
    system, sightings, files = FileSystem(), dict[str, str](), 0
    with open_archive(path) as archive:
        for layer in archive.layers():
            entries = []
            for entry in layer:
                entries.append(entry)
                if entry.info.isfile() or entry.info.islnk():
                    files += 1
                if entry.info.isfile() and entry.info.size <= largest_searched:
                    seen = " and ".join(secrets.in_file(entry.path, entry.read(), given))
                    if seen and len(sightings) < MOST_SIGHTINGS:
                        sightings[f"/{entry.path}"] = f"layer {entry.layer}: /{entry.path} {seen}"
            system.put(entries)
        passwd = system.entries.get(PASSWD)
        return Archive(
            config=archive.config,
            setuid=tuple(sorted(f"/{path}" for path, entry in system.entries.items() if _is_setuid(entry))),
            secrets=sightings,
            users=_users(passwd) if passwd and passwd.info.size <= largest_searched else {},
            files=files,
        )


def _is_setuid(entry: Entry) -> bool:
    return (entry.info.isfile() or entry.info.islnk()) and bool(entry.info.mode & (SETUID | SETGID))


def _users(passwd: Entry) -> dict[str, int]:
    users = {}
    for line in passwd.read().decode("utf-8", "replace").splitlines():
        name, *fields = line.split(":")
        if len(fields) > 1 and UID.fullmatch(fields[1]):
            users[name] = int(fields[1])
    return users
