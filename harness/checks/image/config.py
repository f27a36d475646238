"""``image.config``: who the image runs as, what it says of itself, its size, and what it gives away."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from harness.checks.image.archive import Archive, ArchiveError, read_archive
from harness.checks.image.settings import ImageLimits, ImageSettings
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.errors import InfrastructureError
from harness.model import Capability, Family, Finding, Outcome, Scalar, Utf8Text
from harness.targets.identity import identified
from harness.template import TemplateError, fill

KIB = 1024
MIB = 1024 * 1024
ROOT = frozenset({"", "0", "root"})
SECRET_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|ACCESS_KEY)(?:$|_)(?!.*(?:FILE|PATH|DIR)$)",
    re.IGNORECASE,
)
"""The name of a variable that holds a secret, not the path of a file that does."""
ASSIGNED = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)=(?:\"[^\"]+\"|'[^']+'|[^\s\"';&|]+)")
CREDENTIALS_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@]+@", re.IGNORECASE)
MOST_TOLD = 5
MOST_LABEL = 300


class ImageEvidence(Evidence):
    """What the image and its layers show; no value of anything that may be a secret.

    Attributes:
        user: As the image names it; empty for the engine's default, root.
        uid: What its name stands for in the image's own ``/etc/passwd``; None where it is not there.
        healthcheck: Whether it has one.
        labels: As the image has them, values cut at 300 characters.
        size_bytes: As the engine counts it.
        setuid: Files with the setuid or setgid bit.
        secrets: Where a secret was seen, and of which kind.
        served: Name and version of the model that the running service says it serves.
        device: What it was run on.
    """

    user: Utf8Text
    uid: int | None
    healthcheck: bool
    labels: dict[Utf8Text, Utf8Text]
    size_bytes: int
    setuid: tuple[Utf8Text, ...]
    secrets: tuple[Utf8Text, ...]
    served: dict[str, Utf8Text]
    device: Literal["cpu", "gpu"] = "cpu"


class ImageConfig:
    """Reads the archive of the candidate's image once."""

    id: ClassVar[str] = "image.config"
    family: ClassVar[Family] = Family.IMAGE
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[ImageEvidence]] = ImageEvidence

    def applies(self, _settings: ImageSettings) -> bool:
        """Every image has a user."""
        return True

    def verify_inputs(self, suite: Suite, settings: ImageSettings) -> None:
        """It reads no files of the suite."""

    def collect(self, context: CheckContext, settings: ImageSettings) -> ImageEvidence:
        """Have the engine write the archive into a temporary file, and read it.

        Raises:
            TargetError: the candidate does not say which model it serves.
            InfrastructureError: the engine failed, or gave an archive that is not one of an image.
        """
        with tempfile.TemporaryDirectory(prefix="harness-image-") as folder:
            path = Path(folder) / "image.tar"
            size_bytes = context.candidate.save_image(path)
            try:
                archive = read_archive(path, largest_searched=settings.largest_searched_kib * KIB)
            except ArchiveError as error:
                raise InfrastructureError(str(error)) from error
        context.progress(1, 1)
        evidence = evidence_of(archive, size_bytes, _served(context))
        return evidence.model_copy(update={"device": context.candidate.description.device})

    def judge(self, evidence: ImageEvidence, limits: ImageLimits) -> Sequence[Finding]:
        """One finding for each thing that a limit asks for, and one for secrets in every case."""
        return list(_findings(evidence, limits))


def evidence_of(archive: Archive, size_bytes: int, served: dict[str, str]) -> ImageEvidence:
    """What is kept of an archive."""
    settings = archive.config.get("config") or {}
    user = str(settings.get("User") or "")
    name = user.partition(":")[0]
    labels = settings.get("Labels") or {}
    test = (settings.get("Healthcheck") or {}).get("Test") or ["NONE"]
    steps = [str(step.get("created_by", "")) for step in archive.config.get("history") or []]
    return ImageEvidence(
        expected=1,
        executed=1,
        user=user,
        uid=int(name) if name.isdecimal() else archive.users.get(name),
        healthcheck=test[0] != "NONE",
        labels={key: str(value)[:MOST_LABEL] for key, value in labels.items()},
        size_bytes=size_bytes,
        setuid=archive.setuid,
        secrets=(*archive.secrets, *_told(settings.get("Env") or [], steps)),
        served=served,
    )


def _served(context: CheckContext) -> dict[str, str]:
    """What `${...}` in a wanted label may stand for, as far as the service says it."""
    model = identified(context.candidate, context.suite.config.service, context.credentials).model
    named = {"model.name": model.name, "model.version": model.version}
    return {name: value for name, value in named.items() if value is not None}


def _told(environment: Sequence[str], steps: Sequence[str]) -> Iterator[str]:
    """Where the environment or a build step gives a secret away; never the secret."""
    for entry in environment:
        name, _, value = entry.partition("=")
        if value and SECRET_NAME.search(name):
            yield f"environment: {name} has a value"
        elif CREDENTIALS_IN_URL.search(value):
            yield f"environment: {name} holds a URL with a password"
    for number, step in enumerate(steps, 1):
        # What RUN was given as build arguments stands in front of its command.
        names = {match[1] for match in ASSIGNED.finditer(step) if SECRET_NAME.search(match[1])}
        yield from (f"history, step {number}: {name} has a value" for name in sorted(names))
        if CREDENTIALS_IN_URL.search(step):
            yield f"history, step {number}: a URL with a password"


def _findings(evidence: ImageEvidence, limits: ImageLimits) -> Iterator[Finding]:
    yield _finding(
        "secrets",
        bad=evidence.secrets,
        good="no private key, no credentials, no secret's name with a value",
        observed=len(evidence.secrets),
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
    for label, wanted in limits.labels.items():
        yield _label(evidence, label, wanted)
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


def _label(evidence: ImageEvidence, label: str, wanted: str) -> Finding:
    try:
        value = fill(wanted, evidence.served)
    except TemplateError:
        value = None
    found = evidence.labels.get(label, "")
    problem = ""
    if not found:
        problem = f"label {label} is missing"
    elif value is None:
        problem = f"label {label} is {found!r}, and the service does not say what it should be"
    elif wanted and found != value:
        problem = f"label {label} is {found!r}, it has to be {value!r}"
    return _finding(
        f"label.{label}",
        bad=[problem] if problem else [],
        good=f"label {label} is {found!r}",
        observed=found,
        limit=value or "any value",
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
