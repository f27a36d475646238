"""Build the image of the reference service with one artifact, and write its release record into ``dist/``.

Usage: ``image.py BASE_IMAGE ARTIFACT LOCKS``, the last as in the Dockerfile. Name, versions and labels come
from the artifact's manifest and the service. The build goes through the engine's API, as the gate's does: no
docker command line is needed.
"""

import sys
from pathlib import Path

import docker
import requests
from docker.errors import DockerException
from release_record import ReleaseError, record_of, write_whole

from reference_service import __version__
from reference_service.model.artifact import ArtifactError, load_artifact

ROOT = Path(__file__).resolve().parent.parent
BUILD_TIMEOUT_S = 1200


def build(client: docker.DockerClient, tag: str, arguments: dict[str, str]) -> None:
    """Build the Dockerfile, printing its steps to stderr; exit when it fails."""
    steps = client.api.build(
        path=str(ROOT),
        dockerfile="reference_service/Dockerfile",
        buildargs=arguments,
        tag=tag,
        rm=True,
        forcerm=True,
        decode=True,
    )
    for step in steps:
        sys.stderr.write(step.get("stream", ""))
        if "error" in step:
            sys.exit(f"image: the build failed: {step['error'].strip()}")


def main(base_image: str, artifact: str, locks: str) -> None:
    """Build, record, and print the image's name and the record's path."""
    try:
        manifest = load_artifact(ROOT / "reference_service" / "artifacts" / artifact).manifest
        release = f"{__version__}-{manifest.name}-{manifest.version}".replace("+", "_")  # a tag has no plus
        release += "-gpu" if "service-gpu" in locks.split() else ""
        tag = f"reference-service:{release}"
        arguments = {
            "BASE_IMAGE": base_image,
            "LOCKS": locks,
            "ARTIFACT": artifact,
            "MODEL_NAME": manifest.name,
            "MODEL_VERSION": manifest.version,
            "SERVICE_VERSION": __version__,
        }
        client = docker.from_env(timeout=BUILD_TIMEOUT_S)
        build(client, tag, arguments)
        path = ROOT / "dist" / f"reference-service-{release}.json"
        write_whole(path, record_of(client, tag))
    except (ArtifactError, ReleaseError, DockerException, requests.RequestException) as error:
        sys.exit(f"image: {error}")
    print(f"{tag}\n{path.relative_to(ROOT)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
