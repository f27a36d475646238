"""A file of the declared folder has another digest than the manifest lists for it."""

import hashlib
import json

from probing import given, prove_of_image


def shows(image):
    """By the files of the image."""
    files = image.artifact()
    listed = json.loads(files["manifest.json"])["files"]
    return any(hashlib.sha256(files[name]).hexdigest() != digest for name, digest in listed.items())


prove_of_image(given(), shows, "a listed file is another than its manifest says")
