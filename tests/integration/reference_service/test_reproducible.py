"""Two builds of one commit, in two checkouts and without a cache, have the same layers."""

import hashlib
import shutil
import tarfile
import tempfile
import uuid
from pathlib import Path

import pytest
from own_containers import LABELS

import reference_service

pytestmark = [pytest.mark.engine, pytest.mark.slow]

ROOT = Path(reference_service.__file__).parents[1]
CONTEXT = ("reference_service", "requirements", ".dockerignore")


@pytest.fixture(scope="module")
def build(engine, base_image):
    """Builds an image of a checkout; removes it in the end."""
    tags = []

    def run(checkout, *, nocache, **arguments):
        tag = f"harness-test-reproducible:{uuid.uuid4().hex}"
        image, _ = engine.images.build(
            path=str(checkout),
            dockerfile="reference_service/Dockerfile",
            buildargs={"BASE_IMAGE": base_image, **arguments},
            tag=tag,
            nocache=nocache,
            rm=True,
            forcerm=True,
        )
        tags.append(tag)
        return image

    yield run
    for tag in tags:
        engine.images.remove(tag)


def other_checkout(folder):
    """The same files as another person has them: other times, other modes, bytecode lying about."""
    for name in CONTEXT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, folder / name)
    for path in folder.rglob("*"):
        path.chmod(0o775 if path.is_dir() else 0o664)
    return folder


def listing(engine, image):
    """Mode, owner, time and content of everything under /opt, by path."""
    container = engine.containers.create(image.id, labels=LABELS)
    try:
        with tempfile.TemporaryFile() as packed:
            packed.writelines(container.get_archive("/opt")[0])
            packed.seek(0)
            with tarfile.open(fileobj=packed) as archive:
                return {member.name: entry(archive, member) for member in archive}
    finally:
        container.remove(force=True, v=True)


def entry(archive, member):
    content = (
        hashlib.file_digest(archive.extractfile(member), "sha256").hexdigest() if member.isfile() else None
    )
    return oct(member.mode), member.uid, member.gid, member.mtime, member.linkname, content


def test_two_builds_of_one_commit_have_the_same_layers(engine, build, tmp_path):
    first = build(ROOT, nocache=True)
    second = build(other_checkout(tmp_path), nocache=True)
    files, again = listing(engine, first), listing(engine, second)
    assert {path for path in files.keys() | again.keys() if files.get(path) != again.get(path)} == set()
    assert "opt/venv/lib/python3.11/site-packages/fastapi/__pycache__/routing.cpython-311.pyc" in files
    layers = first.attrs["RootFS"]["Layers"]
    assert layers == second.attrs["RootFS"]["Layers"]
    assert first.id != second.id  # the configuration has the time of the build

    other = build(ROOT, nocache=False, ARTIFACT="digits").attrs["RootFS"]["Layers"]
    assert other[:-1] == layers[:-1]
    assert other[-1] != layers[-1]
