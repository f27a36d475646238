"""The image of an entry: the healthy one, further lines of a Dockerfile, and its module as the service."""

import contextlib
import hashlib
import io
import tarfile

import docker.errors
import requests

from harness.errors import InfrastructureError
from harness.selftest.catalogue import Entry
from harness.targets.engine import Engine
from harness.targets.uninterrupted import uninterrupted

REPOSITORY = "harness-selftest"


def build_context(entry: Entry) -> dict[str, str]:
    """The files of its build, by name; the build argument ``BASE`` is the healthy image."""
    lines = ["ARG BASE", "FROM ${BASE}", *entry.declared.image]
    files = {}
    if entry.module is not None:
        files[entry.module.name] = entry.module.read_text(encoding="utf-8")
        lines += [
            f"COPY {entry.module.name} /overlay/{entry.module.name}",
            "ENV PYTHONPATH=/overlay${PYTHONPATH:+:$PYTHONPATH}",
            "ENTRYPOINT []",
            f'CMD ["python3", "-m", "{entry.module.stem}"]',
        ]
    return {"Dockerfile": "\n".join(lines) + "\n", **files}


def tag_of(entry: Entry, base: str) -> str:
    """What its image on ``base``, an image's id, is called: by all that it is made of."""
    files = build_context(entry)
    digest = hashlib.sha256(repr((base, sorted(files.items()))).encode()).hexdigest()
    return f"{REPOSITORY}:{entry.name}-{digest[:12]}"


def build(engine: Engine, entry: Entry, base: str, tag: str) -> None:
    """Build it on ``base`` as ``tag``.

    Raises:
        InfrastructureError: when the build fails.
    """
    try:
        engine.client.images.build(
            fileobj=_packed(build_context(entry)),
            custom_context=True,
            tag=tag,
            buildargs={"BASE": base},
            rm=True,
            forcerm=True,
        )
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise InfrastructureError(f"building the image of {entry.name}: {error}") from error


def remove(engine: Engine, tag: str) -> None:
    """Remove an image that :func:`build` made, as far as the engine lets it, whatever signal comes."""
    gone = contextlib.suppress(docker.errors.DockerException, requests.RequestException)
    with uninterrupted(), gone:
        engine.client.images.remove(tag)


def _packed(files: dict[str, str]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    packed.seek(0)
    return packed
