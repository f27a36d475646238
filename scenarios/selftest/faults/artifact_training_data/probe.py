"""The folder of the model has a file that the manifest does not list."""

import json

from probing import given, prove_of_image


def shows(image):
    """By the names of its files."""
    files = image.artifact()
    return files.keys() - json.loads(files["manifest.json"])["files"].keys() == {"manifest.json", "train.csv"}


prove_of_image(given(), shows, "train.csv lies beside the model")
