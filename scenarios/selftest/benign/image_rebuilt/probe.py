"""It has another id and says when it was made; every file of the service is what it was."""

import docker
from probing import Image, differs, given, read

APP = "/opt/app"
CREATED = "org.opencontainers.image.created"

told = given()


def files(image: Image) -> dict[str, bytes]:
    """Of the service, by name."""
    with image.archive(APP) as archive:
        return {each.name: read(archive, each) for each in archive if each.isfile()}


def created(image: Image) -> bool:
    """Whether it says when it was made."""
    return CREATED in image.inspected["Config"]["Labels"]


def images(engine: docker.DockerClient) -> tuple[Image, Image]:
    """The entry's and the healthy one."""
    labels = engine.containers.get(told.container_id).labels
    return Image(engine, told.image_id, labels), Image(engine, told.healthy_image_id, labels)


with told.engine() as engine:
    entry, healthy = images(engine)
    differs(
        entry.id != healthy.id and created(entry) and files(entry) == files(healthy),
        created(healthy),
        "it has another id and the same files",
    )
