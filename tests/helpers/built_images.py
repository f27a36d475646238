"""Images that tests build: named by their content, labelled, removed when another content replaces them."""

import fcntl
import hashlib
import io
import tarfile
from contextlib import contextmanager, suppress
from pathlib import Path

from docker.errors import APIError
from docker.utils.build import exclude_paths

CACHE = Path(__file__).resolve().parents[2] / ".cache"
LABEL = "io.harness.test.checkout"
CHECKOUT = hashlib.sha256(bytes(CACHE)).hexdigest()[:8]
NEVER_PACKED = ["**/__pycache__"]


@contextmanager
def locked(name):
    """Hold a lock across the worker processes of pytest-xdist, and across sessions."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class BuiltImages:
    """Builds images, once for each content."""

    def __init__(self, client, used):
        """``used`` is the file that names what the sessions of now use."""
        self._client, self._used = client, used

    def from_folder(self, name, folder, *, base, base_argument, dockerfile="Dockerfile", **arguments):
        """Tag of the image of a folder's Dockerfile, built with further arguments."""
        ignore = folder / ".dockerignore"
        ignored = [*(ignore.read_text().splitlines() if ignore.exists() else []), *NEVER_PACKED]
        paths = (folder / each for each in exclude_paths(folder, ignored, dockerfile=dockerfile))
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}
        context = {"path": str(folder), "dockerfile": dockerfile}
        return self._build(name, files, {base_argument: base, **arguments}, base, **context)

    def from_files(self, name, files, *, base, base_argument):
        """Tag of the image of a Dockerfile and other files, given as text."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path, text in files.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(text.encode()), 0o644
                tar.addfile(entry, io.BytesIO(text.encode()))
        packed.seek(0)
        contents = {path: text.encode() for path, text in files.items()}
        return self._build(name, contents, {base_argument: base}, base, fileobj=packed, custom_context=True)

    def _build(self, name, files, arguments, base, **context):
        digest = hashlib.sha256(
            self._client.images.get(base).id.encode() + repr(sorted(arguments.items())).encode()
        )
        for path, content in sorted(files.items()):
            digest.update(f"\0{path}\0".encode() + content)
        tag = f"harness-test-{name}:{digest.hexdigest()[:16]}"
        with locked(f"image-{name}"):
            if not self._client.images.list(tag):
                self._client.images.build(
                    tag=tag,
                    buildargs=arguments,
                    labels={LABEL: CHECKOUT},
                    rm=True,
                    forcerm=True,
                    **context,
                )
        self._used.write(f"{tag}\n")
        self._used.flush()
        return tag


@contextmanager
def built_images(client):
    """Build within; the last session of this checkout to end removes what those in use have replaced."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "test-images").open("a+") as used:
        fcntl.flock(used, fcntl.LOCK_SH)
        yield BuiltImages(client, used)
        with suppress(BlockingIOError):
            fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
            used.seek(0)
            _remove_replaced(client, set(used.read().split()))
            used.truncate(0)


def _remove_replaced(client, used):
    """Remove this checkout's test images that have the name of one in use, and another content."""
    names = {tag.partition(":")[0] for tag in used}
    images = client.images.list(filters={"label": f"{LABEL}={CHECKOUT}"})
    for image in sorted(images, key=lambda image: image.attrs["Created"], reverse=True):  # children first
        for tag in image.tags:
            if tag.partition(":")[0] in names and tag not in used:
                with suppress(APIError):  # a container that another session left still has it
                    client.images.remove(tag)
