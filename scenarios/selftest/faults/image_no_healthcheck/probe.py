"""The image has no health check."""

from probing import given, prove_of_image


def shows(image):
    """By its configuration."""
    test = (image.inspected["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    return test == ["NONE"]


prove_of_image(given(), shows, "the image has no health check")
