"""``artifact.version``: one version is one set of bytes, in the reference's image and in the candidate's."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from harness.checks.artifact.folder import opened
from harness.checks.artifact.manifest import ManifestError, read_manifest
from harness.checks.artifact.settings import ArtifactLimits, ArtifactSettings
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding, Outcome, Utf8Text

MOST_TOLD = 5


class Release(BaseModel):
    """The artifact of one image.

    Attributes:
        problem: Why it can't be told.
        files: SHA-256 of the manifest, and of each file that it lists and the folder has, as it is there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: Utf8Text = ""
    name: Utf8Text | None = None
    version: Utf8Text | None = None
    model: Utf8Text | None = None
    files: dict[Utf8Text, str] = {}


class VersionEvidence(Evidence):
    """Both artifacts."""

    candidate: Release
    reference: Release


class ArtifactVersion:
    """Reads the folder in the archives of both images; nothing of them runs."""

    id: ClassVar[str] = "artifact.version"
    family: ClassVar[Family] = Family.ARTIFACT
    stage: ClassVar[Stage] = Stage.UNSTARTED
    needs: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.CONTAINER, Capability.REFERENCE, Capability.REFERENCE_CONTAINER}
    )
    evidence: ClassVar[type[VersionEvidence]] = VersionEvidence

    def applies(self, settings: ArtifactSettings) -> bool:
        """Whether the manifest tells a version, and which file is the model."""
        return settings.version is not None and settings.model is not None

    def verify_inputs(self, suite: Suite, settings: ArtifactSettings) -> None:
        """It reads no files of the suite."""

    def collect(self, context: CheckContext, settings: ArtifactSettings) -> VersionEvidence:
        """Hash the files of both.

        Raises:
            InfrastructureError: the engine failed.
        """
        archives = [context.archive(image) for image in (context.candidate_image, context.reference_image)]
        releases = {archive: _release(archive, settings) for archive in dict.fromkeys(archives)}
        candidate, reference = (releases[archive] for archive in archives)
        return VersionEvidence(expected=1, executed=1, candidate=candidate, reference=reference)

    def judge(self, evidence: VersionEvidence, _limits: ArtifactLimits) -> Sequence[Finding]:
        """Other bytes need another version; another version with the same model is told of."""
        candidate, reference = evidence.candidate, evidence.reference
        if candidate.problem:
            return [_finding("model", Outcome.FAIL, candidate.problem)]
        if reference.problem:
            return [_finding("model", Outcome.INCONCLUSIVE, f"the reference: {reference.problem}")]
        return list(_findings(candidate, reference))


def _findings(candidate: Release, reference: Release) -> Iterator[Finding]:
    another = candidate.name != reference.name
    if another:
        message = f"the model is {candidate.name!r}, that of the reference {reference.name!r}"
        yield _finding("name", Outcome.FAIL, message)
        return
    same_version = candidate.version == reference.version
    model, before = candidate.files.get(candidate.model or ""), reference.files.get(reference.model or "")
    versions = f"version {candidate.version!r}, the reference's {reference.version!r}"
    if model != before and same_version:
        message = f"the model is another (SHA-256 {model}, before {before}) under the same {versions}"
        yield _finding("model", Outcome.FAIL, message)
    elif model == before and not same_version:
        yield _finding("model", Outcome.WARN, f"the model is the same to the byte: {versions}")
    else:
        yield _finding(
            "model", Outcome.PASS, f"{versions}; the model is {'the same' if same_version else 'new'}"
        )
    models = {candidate.model, reference.model}
    changed = sorted(
        name
        for name in candidate.files.keys() | reference.files.keys()
        if name not in models and candidate.files.get(name) != reference.files.get(name)
    )
    if changed and same_version:
        message = f"other files are not those of the same {versions}: {', '.join(changed[:MOST_TOLD])}"
        yield _finding("files", Outcome.FAIL, message)
    else:
        yield _finding("files", Outcome.PASS, f"{versions}; {len(changed)} other files are new")


def _release(archive: Path, settings: ArtifactSettings) -> Release:
    with opened(archive, settings.folder, largest_mib=settings.largest_mib) as folder:
        try:
            manifest = read_manifest(folder, settings)
        except ManifestError as error:
            return Release(problem=str(error))
        version, model = manifest.text(settings.version), manifest.text(settings.model)
        if version is None:
            return Release(problem=f"the manifest tells no version at {settings.version}")
        if model is None or model not in folder.files:
            return Release(problem=f"the manifest names no file of the folder at {settings.model}")
        names = {settings.manifest, model, *(name for name in manifest.listed if name in folder.files)}
        return Release(
            name=manifest.text(settings.name),
            version=version,
            model=model,
            files={name: folder.sha256(name) for name in sorted(names)},
        )


def _finding(name: str, outcome: Outcome, message: str) -> Finding:
    return Finding(id=f"artifact.version.{name}", outcome=outcome, message=message, samples=1)
