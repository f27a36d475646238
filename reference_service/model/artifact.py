"""Loads an artifact folder and refuses one that is not what its manifest says."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from reference_service.model.manifest import Manifest
from reference_service.problems import first_problem
from reference_service.telemetry.baseline import Baseline

MANIFEST = "manifest.json"


class ArtifactError(Exception):
    """The artifact can't be served: a file is missing or altered, or the model answers differently."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A manifest, the model bytes whose digest it names, and the baseline of drift if there is one."""

    manifest: Manifest
    model: bytes
    baseline: Baseline | None


def load_artifact(folder: Path, *, sha256: str | None = None) -> Artifact:
    """Read the artifact in `folder`, or in its only subfolder that holds one.

    The bytes that were hashed are the bytes that are served: nothing is read twice. `sha256` is the digest
    that the manifest must have, None to take it at its word.

    Raises:
        ArtifactError: Names the file, and for a wrong checksum the expected and the found digest.
    """
    folder = _artifact_folder(folder)
    path = folder / MANIFEST
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    if sha256 not in {None, digest}:
        raise ArtifactError(f"{path}: SHA-256 is {digest}, SERVICE_ARTIFACT_SHA256 says {sha256}")
    manifest = parse_manifest(path, content)
    contents = {name: _read(folder / name) for name in manifest.files}
    for name, expected in manifest.files.items():
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != expected:
            raise ArtifactError(f"{folder / name}: SHA-256 is {found}, the manifest says {expected}")
    baseline = manifest.baseline_file
    return Artifact(
        manifest=manifest,
        model=contents[manifest.model_file],
        baseline=None if baseline is None else _baseline(folder / baseline, contents[baseline], manifest),
    )


def _baseline(path: Path, content: bytes, manifest: Manifest) -> Baseline:
    """Read the baseline; it must be of what the manifest observes and answers."""
    try:
        baseline = Baseline.model_validate_json(content)
    except ValidationError as error:
        raise ArtifactError(f"{path}: {first_problem(error)}") from error
    if [each.name for each in baseline.features] != [each.name for each in manifest.input.observed]:
        raise ArtifactError(f"{path}: features are not those of the manifest, in its order")
    if baseline.predictions.keys() != set(manifest.outputs.probabilities.classes):
        raise ArtifactError(f"{path}: predictions do not name exactly the classes of the manifest")
    return baseline


def parse_manifest(path: Path, content: bytes) -> Manifest:
    """Return the manifest that was read from `path`.

    Raises:
        ArtifactError: Names the file, and the field that is wrong.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        raise ArtifactError(f"{path}: {first_problem(error)}") from error


def _artifact_folder(folder: Path) -> Path:
    """Find the one folder that holds a manifest."""
    if (folder / MANIFEST).is_file():
        return folder
    found = sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ArtifactError(f"{folder}: holds no {MANIFEST}, and not exactly one artifact folder: {names}")
    return found[0]


def _read(path: Path) -> bytes:
    """Read a file of the artifact."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error
