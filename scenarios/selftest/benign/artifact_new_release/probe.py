"""Its manifest, its label and its model are those of version 1.1.0."""

from probing import Image, given, prove_of_image

VERSION = "1.1.0"


def shows(image: Image) -> bool:
    """The model ends with what the exporter of the release writes."""
    labels = image.inspected["Config"]["Labels"]
    files = image.artifact()
    released = image.manifest()["version"] == labels["model.version"] == VERSION
    return released and files["model.onnx"].endswith(bytes([114, 6, 10, 1, 107, 18, 1, 118]))


prove_of_image(given(), shows, f"the model, its manifest and its label are of {VERSION}")
