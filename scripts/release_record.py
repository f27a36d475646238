"""Record what is known of an image of the reference service only after it is built.

Usage: ``release_record.py IMAGE --out FILE [--report REPORT]``.

The manifest inside an image can't name the image that holds it. This record lies beside the image instead and
joins the two: the engine's identifiers, what the labels say, and the digests of what is really inside.
"""

import argparse
import contextlib
import hashlib
import io
import os
import signal
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import docker
import requests
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.images import Image
from pydantic import BaseModel, ValidationError

from reference_service.documents import Part, SemVer, Sha256
from reference_service.model.artifact import MANIFEST
from reference_service.model.manifest import Manifest
from reference_service.problems import first_problem

EXIT_REFUSED = 2
EXIT_NO_ENGINE = 5
ARTIFACT_VARIABLE = "SERVICE_ARTIFACT"
VERSION_LABEL = "org.opencontainers.image.version"
MODEL_NAME_LABEL = "model.name"
MODEL_VERSION_LABEL = "model.version"


class ReleaseError(Exception):
    """No record can be written: the image, or the report of its gate, is not what it should be."""


class ModelRecord(Part):
    """The model as the labels name it, with the digest of the file inside the image."""

    name: str
    version: SemVer
    sha256: Sha256


class GateRecord(Part):
    """The gate's verdict of exactly this image."""

    run_id: str
    decision: Literal["promote", "reject", "inconclusive"]
    report_sha256: Sha256


class ReleaseRecord(Part):
    """One built image.

    Attributes:
        image: As it was named.
        image_id: `sha256:…` of its configuration.
        repo_digest: `name@sha256:…` in a registry; null for an image that was never pushed.
        created: Build time, as the engine says it.
        gate: Null where no report was given.
    """

    schema_version: Literal[1] = 1
    image: str
    image_id: str
    repo_digest: str | None
    created: str
    size_bytes: int
    service_version: SemVer
    model: ModelRecord
    manifest_sha256: Sha256
    gate: GateRecord | None


class _Candidate(BaseModel):
    """The part of a report's candidate that is needed here."""

    image_id: str | None = None


class _Report(BaseModel):
    """The part of a report that is needed here."""

    run_id: str
    decision: Literal["promote", "reject", "inconclusive"]
    partial: bool
    candidate: _Candidate


def record_of(client: docker.DockerClient, name: str, report: Path | None = None) -> ReleaseRecord:
    """Describe an image that the engine has.

    Raises:
        ReleaseError: There is no such image, its labels or files contradict its manifest, or the report is
            not of this image.
    """
    try:
        image = client.images.get(name)
    except ImageNotFound as error:
        raise ReleaseError(f"{name}: the engine has no such image") from error
    gate = _gate_record(report, image) if report else None
    with _artifact_archive(client, image) as archive:
        content = _open(archive, MANIFEST).read()
        try:
            manifest = Manifest.model_validate_json(content)
        except ValidationError as error:
            raise ReleaseError(f"{name}: {MANIFEST} inside: {first_problem(error)}") from error
        digests = {
            file: hashlib.file_digest(_open(archive, file), "sha256").hexdigest() for file in manifest.files
        }
    if digests != manifest.files:
        raise ReleaseError(f"{name}: SHA-256 of its files is {digests}, its manifest says {manifest.files}")
    labelled = (image.labels.get(MODEL_NAME_LABEL), image.labels.get(MODEL_VERSION_LABEL))
    if labelled != (manifest.name, manifest.version):
        raise ReleaseError(
            f"{name}: its labels say model {labelled}, its manifest {(manifest.name, manifest.version)}"
        )
    try:
        return ReleaseRecord(
            image=name,
            image_id=image.id,
            repo_digest=next(iter(image.attrs.get("RepoDigests") or ()), None),
            created=image.attrs["Created"],
            size_bytes=image.attrs["Size"],
            service_version=image.labels.get(VERSION_LABEL),
            model=ModelRecord(
                name=manifest.name, version=manifest.version, sha256=digests[manifest.model_file]
            ),
            manifest_sha256=hashlib.sha256(content).hexdigest(),
            gate=gate,
        )
    except ValidationError as error:
        raise ReleaseError(f"{name}: {first_problem(error)}") from error


def write_whole(path: Path, record: ReleaseRecord) -> None:
    """Write the record as JSON; whatever happens, `path` holds all of it or what it held before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(record.model_dump_json(indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink()
        raise


def _gate_record(path: Path, image: Image) -> GateRecord:
    """Read the verdict from a gate's report, which must be of this image."""
    try:
        content = path.read_bytes()
        report = _Report.model_validate_json(content)
    except OSError as error:
        raise ReleaseError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise ReleaseError(f"{path}: not a report of the gate: {first_problem(error)}") from error
    if report.candidate.image_id != image.id:
        raise ReleaseError(
            f"{path}: the report is of candidate {report.candidate.image_id}, the image is {image.id}"
        )
    if report.partial:
        raise ReleaseError(f"{path}: the verdict is partial; a release needs one of all families")
    return GateRecord(
        run_id=report.run_id,
        decision=report.decision,
        report_sha256=hashlib.sha256(content).hexdigest(),
    )


@contextlib.contextmanager
def _artifact_archive(client: docker.DockerClient, image: Image) -> Iterator[tarfile.TarFile]:
    """Copy the artifact folder out of a container that is never started, and removed in every case."""
    variables = dict(entry.split("=", 1) for entry in image.attrs["Config"].get("Env") or ())
    folder = variables.get(ARTIFACT_VARIABLE)
    if not folder:
        raise ReleaseError(f"the image does not say where its artifact is ({ARTIFACT_VARIABLE})")
    # Named beforehand: it can be removed even if the engine's answer to its creation was lost.
    container = f"release-record-{uuid.uuid4().hex}"
    with tempfile.TemporaryFile() as copied:
        try:
            created = client.containers.create(
                image.id, name=container, command=["none"], network_mode="none"
            )
            for chunk in created.get_archive(folder)[0]:
                copied.write(chunk)
        except NotFound as error:
            raise ReleaseError(f"the image has no {folder}") from error
        finally:
            with contextlib.suppress(NotFound):
                client.api.remove_container(container, force=True, v=True)
        copied.seek(0)
        with tarfile.open(fileobj=copied) as archive:
            yield archive


def _open(archive: tarfile.TarFile, name: str) -> io.BufferedReader:
    """Open a file of the artifact folder, which is the archive's first member."""
    member = f"{archive.getnames()[0]}/{name}"
    try:
        file = archive.extractfile(member)
    except KeyError:
        file = None
    if not isinstance(file, io.BufferedReader):
        raise ReleaseError(f"the image has no file {member}")
    return file


def main() -> int:
    """Write the record; return 0, 2 where it is refused, 5 where the engine fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", help="name, id or digest of an image that the engine has")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--report", type=Path, help="the gate's report of this image")
    arguments = parser.parse_args()
    # An exit, unlike the signal, still removes the container.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with contextlib.closing(docker.from_env()) as client:
            write_whole(arguments.out, record_of(client, arguments.image, arguments.report))
    except (DockerException, requests.RequestException) as error:
        sys.stderr.write(f"release_record: the engine fails: {error}\n")
        return EXIT_NO_ENGINE
    except (ReleaseError, OSError) as error:
        sys.stderr.write(f"release_record: {error}\n")
        return EXIT_REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
