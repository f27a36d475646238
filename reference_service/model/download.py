"""`python -m reference_service.model.download`: brings an artifact from a store into a folder.

A process of its own: it can be ended when it takes too long, and the store's packages, threads and memory end
with it. Progress is logged; the reason of a failure is the last line on standard error.
"""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
from fsspec.spec import AbstractFileSystem

from reference_service.model.artifact import MANIFEST, ArtifactError, parse_manifest
from reference_service.telemetry.logs import LOGGER, configure_logging

CHUNK_BYTES = 1 << 20
EXIT_FAILED = 1


def download(url: str, sha256: str, folder: Path, *, max_bytes: int) -> None:
    """Make `folder` hold the artifact at `url` whose manifest has the digest `sha256`.

    The manifest comes first and decides on the rest. A file that is there and good is kept, a damaged one is
    replaced. Only one process at a time works on a folder.

    Raises:
        ArtifactError: Names the file, and for a wrong checksum the expected and the found digest.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtifactError(
            f"{folder}: {error.strerror} (SERVICE_ARTIFACT_CACHE must be writable)"
        ) from error
    try:
        store, prefix = fsspec.url_to_fs(url)
    except ImportError as error:
        raise ArtifactError(
            f'{url}: {error} (build the image with: make image LOCKS="service store")'
        ) from error
    left = max_bytes
    with _locked(folder):
        manifest = folder / MANIFEST
        if not _is_good(manifest, sha256):
            left -= _fetch(store, f"{prefix}/{MANIFEST}", manifest, sha256, left)
        for name, digest in parse_manifest(manifest, manifest.read_bytes()).files.items():
            if not _is_good(folder / name, digest):
                left -= _fetch(store, f"{prefix}/{name}", folder / name, digest, left)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel releases it whatever becomes of this process."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_good(path: Path, sha256: str) -> bool:
    """Tell whether a file of the cache is there and has its digest."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return False
    if found != sha256:
        LOGGER.warning(
            "cache is damaged: %s: SHA-256 is %s, expected %s; fetching it again", path, found, sha256
        )
    return found == sha256


def _fetch(store: AbstractFileSystem, source: str, target: Path, sha256: str, max_bytes: int) -> int:
    """Copy one file, which gets its name only when it is whole and good; return its size in bytes."""
    url = store.unstrip_protocol(source)
    partial = target.with_name(f".{target.name}.part")
    partial.unlink(missing_ok=True)  # a process that was killed may have left it
    digest, size = hashlib.sha256(), 0
    try:
        with partial.open("xb") as local:
            for chunk in _chunks(store, source):
                size += len(chunk)
                if size > max_bytes:
                    raise ArtifactError(f"{url}: the artifact is larger than SERVICE_ARTIFACT_MAX_BYTES")
                digest.update(chunk)
                local.write(chunk)
        if digest.hexdigest() != sha256:
            raise ArtifactError(
                f"{url}: SHA-256 is {digest.hexdigest()}, {source_of_digest(target)} says {sha256}"
            )
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    LOGGER.info("fetched", extra={"fields": {"url": url, "sha256": sha256, "bytes": size}})
    return size


def source_of_digest(file: Path) -> str:
    """Tell who says which digest a file of the artifact has."""
    return "SERVICE_ARTIFACT_SHA256" if file.name == MANIFEST else MANIFEST


def _chunks(store: AbstractFileSystem, source: str) -> Iterator[bytes]:
    """Read a file of the store, piece by piece."""
    url = store.unstrip_protocol(source)
    try:
        with store.open(source, "rb") as remote:
            while chunk := remote.read(CHUNK_BYTES):
                yield chunk
    except Exception as error:  # each store's package has errors of its own, and may hide them behind another
        cause = error.__cause__ or error
        raise ArtifactError(f"{url}: {type(cause).__name__}: {cause}") from error


def main(url: str, sha256: str, folder: str, max_bytes: str) -> int:
    """Download; return 0, or 1 with the reason on standard error."""
    configure_logging("info")
    try:
        download(url, sha256, Path(folder), max_bytes=int(max_bytes))
    except (ArtifactError, OSError) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
