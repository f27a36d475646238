"""The label names another version than the manifest in the image."""

from probing import given, prove_of_image


def shows(image):
    """By both."""
    return image.inspected["Config"]["Labels"]["model.version"] != image.manifest()["version"]


prove_of_image(given(), shows, "the label names another version than the manifest")
