"""Archives of images, as `docker save` writes them."""

import gzip
import io
import json
import tarfile

CHUNK_BYTES = 16 * 1024 * 1024
OVERLAP_BYTES = 4096
GZIP = b"\x1f\x8b"


def pieces(archive):
    """All that an archive holds, documents and layers, uncompressed; what is cut is whole in the next one."""
    with tarfile.open(archive) as saved:
        for member in (member for member in saved if member.isfile()):
            blob = saved.extractfile(member)
            compressed = blob.read(len(GZIP)) == GZIP
            blob.seek(0)
            kept = b""
            with gzip.GzipFile(fileobj=blob) if compressed else blob as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    yield kept + chunk
                    kept = chunk[-OVERLAP_BYTES:]


def packed(entries):
    """A tar of (path, content, mode), or of entries of their own; content None is a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for each in entries:
            if isinstance(each, tarfile.TarInfo):
                tar.addfile(each)
                continue
            path, content, mode = each
            entry = tarfile.TarInfo(path)
            entry.mode = mode
            if content is None:
                entry.type = tarfile.DIRTYPE
            entry.size = 0 if content is None else len(content)
            tar.addfile(entry, None if content is None else io.BytesIO(content))
    return buffer.getvalue()


def link(path, target, *, hard=False):
    """A link, to be packed."""
    entry = tarfile.TarInfo(path)
    entry.type = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
    entry.linkname = target
    return entry


def write_archive(path, *layers, config=None, compress=False):
    """Write the archive of an image of such layers, each a list as :func:`packed` takes it."""
    blobs = [gzip.compress(packed(layer)) if compress else packed(layer) for layer in layers]
    names = [f"{number}/layer.tar" for number in range(len(blobs))]
    manifest = [{"Config": "config.json", "Layers": names}]
    documents = [("config.json", config or {}), ("manifest.json", manifest)]
    path.write_bytes(
        packed(
            [
                *((name, blob, 0o644) for name, blob in zip(names, blobs, strict=True)),
                *((name, json.dumps(content).encode(), 0o644) for name, content in documents),
            ]
        )
    )
    return path
