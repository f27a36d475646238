"""The same files of the model lie in other layers, with another time."""

from probing import ARTIFACT, Image, differs, given

told = given()


def times(image: Image) -> set[float]:
    """Of the files of its model's folder."""
    with image.archive(ARTIFACT) as archive:
        return {each.mtime for each in archive if each.isfile()}


with told.engine() as engine:
    labels = engine.containers.get(told.container_id).labels
    entry, healthy = (Image(engine, each, labels) for each in (told.image_id, told.healthy_image_id))
    before = times(healthy)
    differs(
        entry.artifact() == healthy.artifact() and times(entry).isdisjoint(before),
        len(before) > 1,
        "the files of the model are the same, and of another time than the one they were built with",
    )
