"""The model is another than the one that the golden set names, under the same version."""

import hashlib
import json
import tomllib

from probing import GOLDEN, given, prove_of_image

RELEASED = tomllib.loads((GOLDEN / "breast-cancer" / "golden.toml").read_text(encoding="utf-8"))["model"]


def shows(image):
    """By digest and version."""
    files = image.artifact()
    another = hashlib.sha256(files["model.onnx"]).hexdigest() != RELEASED["sha256"]
    return another and json.loads(files["manifest.json"])["version"] == RELEASED["version"]


prove_of_image(given(), shows, "another model has the version of the released one")
