"""Layers of an image that hold an artifact."""

import hashlib
import json

FOLDER = "/srv/model"


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def layer_of(files, folder=FOLDER):
    return [(f"{folder.strip('/')}/{name}", content, 0o644) for name, content in files.items()]


def manifest_of(files, /, **more):
    """A manifest of all files, the model first."""
    listed = {name: sha256(content) for name, content in files.items()}
    content = {"name": "m", "version": "1.0.0", "model": next(iter(files), ""), "files": listed, **more}
    return {name: value for name, value in content.items() if value is not None}


def artifact(files, /, **more):
    """A layer of the files and their manifest."""
    return layer_of({**files, "manifest.json": json.dumps(manifest_of(files, **more)).encode()})
