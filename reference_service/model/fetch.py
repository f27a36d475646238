"""Opens the artifact that the settings name: from its folder, or from a store by way of a local cache."""

import contextlib
import subprocess
import sys
from pathlib import Path

from reference_service.model.artifact import Artifact, ArtifactError, load_artifact
from reference_service.settings import Settings
from reference_service.telemetry.logs import LOGGER


def open_artifact(settings: Settings) -> Artifact:
    """Load and verify the artifact.

    Raises:
        ArtifactError: It can't be fetched, is not what its manifest or the settings say, or is of another
            version than `SERVICE_MODEL_VERSION`.
    """
    location = settings.artifact
    if isinstance(location, Path):
        artifact = load_artifact(location, sha256=settings.artifact_sha256)
    else:
        artifact = _from_store(location, str(settings.artifact_sha256), settings)
    if settings.model_version not in {None, artifact.manifest.version}:
        raise ArtifactError(
            f"{location}: holds {artifact.manifest.name} {artifact.manifest.version}, "
            f"SERVICE_MODEL_VERSION says {settings.model_version}"
        )
    return artifact


def _from_store(url: str, sha256: str, settings: Settings) -> Artifact:
    """Load the cached copy if it is good, and otherwise what is fetched."""
    folder = settings.artifact_cache / sha256
    with contextlib.suppress(ArtifactError):
        artifact = load_artifact(folder, sha256=sha256)
        LOGGER.info("artifact is in the cache", extra={"fields": {"folder": str(folder)}})
        return artifact
    command = [sys.executable, "-m", "reference_service.model.download"]
    arguments = [url, sha256, str(folder), str(settings.artifact_max_bytes)]
    try:
        finished = subprocess.run(
            [*command, *arguments],
            check=False,
            stderr=subprocess.PIPE,
            text=True,
            timeout=settings.artifact_timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(
            f"{url}: not fetched within SERVICE_ARTIFACT_TIMEOUT_S ({settings.artifact_timeout_s:g} s)"
        ) from error
    if finished.returncode:
        raise ArtifactError(finished.stderr.strip().rpartition("\n")[2] or f"{url}: the download was ended")
    return load_artifact(folder, sha256=sha256)
