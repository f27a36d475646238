"""A layer has a private key, which the whole file system does not have."""

import json
import tarfile
from tempfile import TemporaryFile

import docker.errors
from probing import Image, differs, given, read

KEY = "opt/app/tls.pem"
TOLD = given()


def has_key(layer):
    """Whether the archive of a layer has it."""
    with tarfile.open(fileobj=layer) as archive:
        return any(each.name == KEY and b"PRIVATE KEY" in read(archive, each) for each in archive)


def is_deleted(engine):
    """Whether the whole file system lacks it."""
    try:
        Image(engine, TOLD.image_id, engine.containers.get(TOLD.container_id).labels).archive(f"/{KEY}")
    except docker.errors.NotFound:
        return True
    return False


with TOLD.engine() as engine, TemporaryFile() as file:
    entry, healthy = (engine.images.get(each) for each in (TOLD.image_id, TOLD.healthy_image_id))
    for chunk in entry.save():
        file.write(chunk)
    file.seek(0)
    with tarfile.open(fileobj=file) as saved:
        layers = json.load(saved.extractfile("manifest.json"))[0]["Layers"]
        found = [number for number, name in enumerate(layers) if has_key(saved.extractfile(name))]
    # The entry's first layers are those of the healthy image.
    shared = len(healthy.attrs["RootFS"]["Layers"])
    differs(
        bool(found) and is_deleted(engine),
        any(number < shared for number in found),
        "a layer has a private key that a later one deletes",
    )
