"""``image.config``: who the image runs as, what it says of itself, its size, and what it gives away."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

from harness.checks.image import secrets
from harness.checks.image.archive import Archive, read_archive
from harness.checks.image.settings import ImageLimits, ImageSettings
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.errors import InfrastructureError
from harness.image_archive import ArchiveError
from harness.model import Capability, Family, Finding, Outcome, Scalar, Utf8Text

KIB = 1024
MIB = 1024 * 1024
ROOT = frozenset({"", "0", "root"})
UID = re.compile(r"[0-9]{1,10}")
MOST_TOLD = 5


class ImageEvidence(Evidence):
    """What the image and its layers show; no value of anything that may be a secret.

    Attributes:
        user: As the image names it; empty for the engine's default, root.
        uid: What its name stands for in the image's own ``/etc/passwd``; None where it is not there.
        healthcheck: Whether it has one.
        size_bytes: As the engine counts it.
        reference_bytes: Of the reference's image likewise; 0 where there is none, None where nobody looked.
        setuid: Files with the setuid or setgid bit.
        secrets: Where a secret was seen in the environment, a label or a build step, and of which kind.
        secret_files: The same of the files in all layers, by path.
        device: What it was run on.
    """

    user: Utf8Text
    uid: int | None
    healthcheck: bool
    size_bytes: int
    reference_bytes: int | None = None
    setuid: tuple[Utf8Text, ...]
    secrets: tuple[Utf8Text, ...]
    secret_files: dict[Utf8Text, Utf8Text]
    device: Literal["cpu", "gpu"] = "cpu"


class ImageConfig:
    """Reads the archive of the candidate's image once; nothing of it runs."""

    id: ClassVar[str] = "image.config"
    family: ClassVar[Family] = Family.IMAGE
    stage: ClassVar[Stage] = Stage.UNSTARTED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[ImageEvidence]] = ImageEvidence

    def applies(self, _settings: ImageSettings) -> bool:
        """Every image has a user."""
        return True

    def verify_inputs(self, suite: Suite, settings: ImageSettings) -> None:
        """It reads no files of the suite."""

    def collect(self, context: CheckContext, settings: ImageSettings) -> ImageEvidence:
        """Have the engine write the archive, and read it.

        Raises:
            InfrastructureError: the engine failed, or gave an archive that is not one of an image.
        """
        image = context.candidate_image
        path = context.archive(image)
        given = context.credentials.given
        try:
            archive = read_archive(path, largest_searched=settings.largest_searched_kib * KIB, given=given)
        except ArchiveError as error:
            raise InfrastructureError(str(error)) from error
        context.progress(1, 1)
        evidence = evidence_of(archive, image.size_bytes if image else 0, given)
        reference = context.reference_image
        return evidence.model_copy(
            update={
                "device": context.candidate.description.device,
                "reference_bytes": 0 if reference is None else reference.size_bytes,
            }
        )

    def judge(self, evidence: ImageEvidence, limits: ImageLimits) -> Sequence[Finding]:
        """One finding for each thing that a limit asks for, and one for secrets in every case."""
        return list(_findings(evidence, limits))


def evidence_of(archive: Archive, size_bytes: int, given: frozenset[bytes] = frozenset()) -> ImageEvidence:
    """What is kept of an archive; ``given`` are the secrets that this run was given."""
    settings = archive.config.get("config") or {}
    user = str(settings.get("User") or "")
    name = user.partition(":")[0]
    test = (settings.get("Healthcheck") or {}).get("Test") or ["NONE"]
    history = archive.config.get("history") or []
    steps = [str(step.get("created_by", "")) for step in history if isinstance(step, dict)]
    return ImageEvidence(
        expected=1,
        executed=1,
        user=user,
        uid=int(name) if UID.fullmatch(name) else archive.users.get(name),
        healthcheck=test[0] != "NONE",
        size_bytes=size_bytes,
        setuid=archive.setuid,
        secrets=tuple(_told(settings, steps, given)),
        secret_files=archive.secrets,
    )


def _told(settings: Mapping[str, Any], steps: Sequence[str], given: frozenset[bytes]) -> Iterator[str]:
    """Where the environment, a label or a build step gives a secret away; never the secret."""
    for entry in map(str, settings.get("Env") or []):
        name, _, value = entry.partition("=")
        if value and secrets.SECRET_NAME.search(name):
            yield f"environment: {name} has a value"
        else:
            yield from (f"environment: {name} holds {what}" for what in secrets.in_text(value, given))
    for label, value in (settings.get("Labels") or {}).items():
        yield from (f"label {label} holds {what}" for what in secrets.in_text(str(value), given))
    for number, step in enumerate(steps, 1):
        # What RUN was given as build arguments stands in front of its command.
        assigned = {match[1] for match in secrets.ASSIGNED.finditer(step)}
        named = sorted(name for name in assigned if secrets.SECRET_NAME.search(name))
        yield from (f"history, step {number}: {name} has a value" for name in named)
        yield from (f"history, step {number}: {what}" for what in secrets.in_text(step, given))


def _findings(evidence: ImageEvidence, limits: ImageLimits) -> Iterator[Finding]:
    in_files = [told for path, told in evidence.secret_files.items() if path not in limits.public_secrets]
    seen = [*in_files, *evidence.secrets]
    yield _finding(
        "secrets",
        bad=seen,
        good="no private key, no credentials, no secret's name with a value",
        observed=len(seen),
        limit=0,
        unit="sightings",
    )
    if limits.non_root:
        root = evidence.user.partition(":")[0] in ROOT or evidence.uid == 0
        named = (
            f"it runs as user {evidence.user!r}" if evidence.user else "it names no user, so it runs as root"
        )
        unknown = "" if root or evidence.uid is not None else ", who is not in its /etc/passwd"
        yield _finding(
            "user",
            bad=[f"{named}{unknown}"] if root or unknown else [],
            good=named,
            observed=evidence.user or "root",
            limit="not root",
        )
    if limits.healthcheck:
        yield _finding(
            "healthcheck", bad=[] if evidence.healthcheck else ["it has no HEALTHCHECK"], good="it has one"
        )
    allowed_mib = limits.max_size_mib
    if evidence.device == "gpu" and limits.max_gpu_size_mib is not None:
        allowed_mib = limits.max_gpu_size_mib
    if allowed_mib is not None:
        size_mib = round(evidence.size_bytes / MIB, 1)
        yield _finding(
            "size",
            bad=[f"it has {size_mib:g} MiB"] if size_mib > allowed_mib else [],
            good=f"it has {size_mib:g} MiB",
            observed=size_mib,
            limit=allowed_mib,
            unit="MiB",
        )
    if limits.size_margin is not None:
        yield _size_ratio(evidence, 1.0 + limits.size_margin)
    if limits.setuid is not None:
        unwanted = [path for path in evidence.setuid if path not in limits.setuid]
        yield _finding(
            "setuid",
            bad=unwanted,
            good="no file with the setuid or setgid bit but those allowed",
            observed=len(unwanted),
            limit=0,
            unit="files",
        )


def _size_ratio(evidence: ImageEvidence, limit: float) -> Finding:
    """Its size against that of the reference's image."""
    if evidence.reference_bytes is None:
        return Finding(
            id="image.config.size_ratio",
            outcome=Outcome.INCONCLUSIVE,
            message="the run did not look at the size of the reference's image",
        )
    if not evidence.reference_bytes:
        return Finding(
            id="image.config.size_ratio",
            outcome=Outcome.NOT_APPLICABLE,
            message="there is no image of a reference to compare its size with",
            missing=Capability.REFERENCE_CONTAINER,
        )
    ratio = evidence.size_bytes / evidence.reference_bytes
    told = (
        f"it has {evidence.size_bytes / MIB:.1f} MiB, {ratio:.3f} times the reference's "
        f"{evidence.reference_bytes / MIB:.1f} MiB"
    )
    return _finding(
        "size_ratio",
        bad=[told] if ratio > limit else [],
        good=told,
        observed=ratio,
        limit=limit,
        unit="times the reference",
    )


def _finding(
    name: str,
    *,
    bad: Sequence[str],
    good: str,
    observed: Scalar = None,
    limit: Scalar = None,
    unit: str = "",
) -> Finding:
    told = "; ".join(bad[:MOST_TOLD]) + (f"; and {len(bad) - MOST_TOLD} more" if len(bad) > MOST_TOLD else "")
    return Finding(
        id=f"image.config.{name}",
        outcome=Outcome.FAIL if bad else Outcome.PASS,
        message=told or good,
        observed=observed,
        limit=limit,
        unit=unit,
        samples=1,
    )
