"""``artifact.manifest``: the manifest is what its schema says, and the files are what the manifest says."""

import json
from collections.abc import Iterator, Sequence
from typing import ClassVar

import jsonschema_rs

from harness.checks.artifact.folder import opened
from harness.checks.artifact.manifest import ManifestError, read_manifest
from harness.checks.artifact.settings import ArtifactLimits, ArtifactSettings
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.errors import ConfigError
from harness.model import Capability, Family, Finding, Outcome, Utf8Text

MOST_PROBLEMS = 20
MOST_TOLD = 5
MOST_CHARACTERS = 300


class ManifestEvidence(Evidence):
    """What the folder holds and what its manifest says of it.

    Attributes:
        manifest: Name of its file.
        problem: Why there is nothing to hold the files against.
        schema_checked: Whether the suite has a schema; ``schema_problems`` are where the manifest breaks it.
        listed: SHA-256 of each file, as the manifest has it.
        refused: What the manifest lists and no file can be.
        found: SHA-256 of each regular file of the folder but the manifest.
        irregular: Links and devices in the folder, with what they are.
    """

    manifest: str
    problem: Utf8Text = ""
    schema_checked: bool = False
    schema_problems: tuple[Utf8Text, ...] = ()
    listed: dict[Utf8Text, str] = {}
    refused: tuple[Utf8Text, ...] = ()
    found: dict[Utf8Text, str] = {}
    irregular: dict[Utf8Text, str] = {}


class ArtifactManifest:
    """Reads the folder in the archive of the candidate's image; nothing of it runs."""

    id: ClassVar[str] = "artifact.manifest"
    family: ClassVar[Family] = Family.ARTIFACT
    stage: ClassVar[Stage] = Stage.UNSTARTED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[ManifestEvidence]] = ManifestEvidence

    def applies(self, _settings: ArtifactSettings) -> bool:
        """Every artifact has a manifest."""
        return True

    def verify_inputs(self, suite: Suite, settings: ArtifactSettings) -> None:
        """Read the schema."""
        _validator(suite, settings)

    def collect(self, context: CheckContext, settings: ArtifactSettings) -> ManifestEvidence:
        """Hash every file of the folder.

        Raises:
            InfrastructureError: the engine failed.
        """
        validator = _validator(context.suite, settings)
        none = ManifestEvidence(expected=1, executed=1, manifest=settings.manifest)
        archive = context.archive(context.candidate_image)
        with opened(archive, settings.folder, largest_mib=settings.largest_mib) as folder:
            try:
                manifest = read_manifest(folder, settings)
            except ManifestError as error:
                return none.model_copy(update={"problem": str(error)})
            return none.model_copy(
                update={
                    "problem": manifest.problem,
                    "schema_checked": validator is not None,
                    "schema_problems": tuple(_broken(validator, manifest.document)),
                    "listed": manifest.listed,
                    "refused": manifest.refused,
                    "found": {
                        name: folder.sha256(name) for name in folder.files if name != settings.manifest
                    },
                    "irregular": folder.irregular,
                }
            )

    def judge(self, evidence: ManifestEvidence, limits: ArtifactLimits) -> Sequence[Finding]:
        """One finding for the schema, one for the listed files, one for what lies there besides."""
        if evidence.problem:
            return [_finding("files", [evidence.problem], "", samples=1)]
        return list(_findings(evidence, limits))


def _findings(evidence: ManifestEvidence, limits: ArtifactLimits) -> Iterator[Finding]:
    if evidence.schema_checked:
        yield _finding("schema", evidence.schema_problems, "as the schema says", samples=1)
    wrong = list(evidence.refused)
    for name, digest in evidence.listed.items():
        found = evidence.found.get(name)
        if name == evidence.manifest:
            wrong.append(f"{name} lists itself")
        elif found is None:
            wrong.append(f"{name} is {evidence.irregular.get(name, 'missing')}")
        elif found != digest:
            wrong.append(f"{name}: SHA-256 is {found}, the manifest says {digest}")
    count = len(evidence.listed) + len(evidence.refused)
    yield _finding("files", wrong, f"{count} files with the digests that the manifest lists", samples=count)
    allowed = {*limits.unlisted, *evidence.listed}
    beside = sorted(
        [name for name in evidence.found if name not in allowed]
        + [f"{name} ({kind})" for name, kind in evidence.irregular.items() if name not in allowed]
    )
    yield _finding(
        "unlisted",
        beside,
        "nothing lies there besides",
        samples=len(evidence.found) + len(evidence.irregular),
    )


def _finding(name: str, wrong: Sequence[str], good: str, *, samples: int) -> Finding:
    told = "; ".join(wrong[:MOST_TOLD]) + (
        f"; and {len(wrong) - MOST_TOLD} more" if wrong[MOST_TOLD:] else ""
    )
    return Finding(
        id=f"artifact.manifest.{name}",
        outcome=Outcome.FAIL if wrong else Outcome.PASS,
        message=told or good,
        observed=len(wrong),
        limit=0,
        unit="problems",
        samples=samples,
    )


def _validator(suite: Suite, settings: ArtifactSettings) -> jsonschema_rs.Validator | None:
    if settings.manifest_schema is None:
        return None
    key = "artifact.manifest_schema"
    path = suite.resolve(settings.manifest_schema, key=key)
    try:
        return jsonschema_rs.validator_for(json.loads(path.read_bytes()), offline=True)
    except (OSError, ValueError, RecursionError, jsonschema_rs.ReferencingError) as error:
        raise ConfigError(
            file=suite.path,
            key=key,
            value=settings.manifest_schema,
            problem=f"no JSON Schema: {str(error)[:MOST_CHARACTERS]}",
            allowed="a JSON file",
        ) from error


def _broken(validator: jsonschema_rs.Validator | None, document: dict[str, object]) -> Iterator[str]:
    """Where a manifest breaks the schema, at most twenty places."""
    if validator is None:
        return
    for number, error in enumerate(validator.iter_errors(document)):
        if number == MOST_PROBLEMS:
            return
        place = "/" + "/".join(map(str, error.instance_path))
        yield f"{place[:MOST_CHARACTERS]}: {error.message[:MOST_CHARACTERS]}"
