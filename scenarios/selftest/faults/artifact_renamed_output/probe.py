"""The model has no output of the name that its manifest tells."""

import json

from probing import given, prove_of_image


def shows(image):
    """By the bytes of the model, which hold every name."""
    files = image.artifact()
    told = json.loads(files["manifest.json"])["outputs"]["probabilities"]["name"]
    return told.encode() not in files["model.onnx"]


prove_of_image(given(), shows, "the model has no output of the name in its manifest")
