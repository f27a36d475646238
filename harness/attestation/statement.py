"""The statement: in-toto Statement v1 with a test-result predicate v0.1, as ``in-toto/attestation`` has them.

The predicate has no time and no device. They stand where its specification has room for what a producer and
its consumers agree on: the annotations of a resource of ``configuration``, here of the policy.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"

_REPO_DIGEST = re.compile(
    r"(?P<name>(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/)?[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*)"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?@sha256:(?P<sha256>[0-9a-f]{64})"
)


def _sha256(value: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise ValueError("not a SHA-256 in lower-case hex")
    return value


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar in UTC") from error


Sha256 = Annotated[str, AfterValidator(_sha256)]
# RFC 3339 in UTC, as in-toto's Timestamp has to be.
Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(_utc),
    PlainSerializer(
        lambda time: time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        return_type=str,
    ),
]


class InToto(BaseModel):
    """Base: camel case in JSON; unknown keys are ignored, as in-toto's parsing rules ask."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True
    )


class Digest(InToto):
    """A DigestSet with the one digest that is used here."""

    sha256: Sha256


class Subject(InToto):
    """The image: its repository, and the digest of its manifest there."""

    name: str = ""
    digest: Digest


class Run(InToto):
    """The run behind the result.

    Attributes:
        id: Of the report.
        report_sha256: Of the report's JSON; it has the digests of all evidence.
        finished_at: When the evidence was complete; how old an attestation is counts from here.
        reference: What it was compared with: a repository digest, else an image id, a URL or "process"; None
            for a first release.
    """

    id: str
    report_sha256: Sha256
    started_at: Timestamp
    finished_at: Timestamp
    device: Literal["cpu", "gpu"]
    reference: str | None = None
    seed: int
    harness_version: str

    @field_validator("finished_at")
    @classmethod
    def _after_the_start(cls, finished: datetime, info: ValidationInfo) -> datetime:
        if finished < info.data.get("started_at", finished):
            raise ValueError("before started_at")
        return finished


class Annotations(InToto):
    """What the policy is annotated with."""

    harness_run: Run


class Resource(InToto):
    """A file of the suite, by its path relative to gate.toml."""

    name: str
    digest: Digest


class Policy(Resource):
    """The gate.toml that decided."""

    annotations: Annotations

    @property
    def run(self) -> Run:
        """The run it decided."""
        return self.annotations.harness_run


class TestResult(InToto):
    """The predicate; the names of tests are ids of checks."""

    __test__ = False  # no test of pytest's

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: tuple[Annotated[Policy | Resource, Field(union_mode="left_to_right")], ...]
    url: str | None = None
    passed_tests: tuple[str, ...] = ()
    warned_tests: tuple[str, ...] = ()
    failed_tests: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        names = (*self.passed_tests, *self.warned_tests, *self.failed_tests)
        if len(set(names)) < len(names):
            raise ValueError("a test is told twice")
        if self.result == "PASSED" and self.failed_tests:
            raise ValueError("PASSED, and failedTests has a test")
        if self.result == "FAILED" and not self.failed_tests:
            raise ValueError("FAILED, and failedTests has no test")
        if self.result != "FAILED" and not (self.passed_tests or self.warned_tests):
            raise ValueError(f"{self.result}, and neither passedTests nor warnedTests has a test")
        return self

    @property
    def policy(self) -> Policy | None:
        """The one policy of ``configuration``; None where there is none, or several."""
        policies = [resource for resource in self.configuration if isinstance(resource, Policy)]
        return policies[0] if len(policies) == 1 else None

    @property
    def files(self) -> tuple[Resource, ...]:
        """The other files of the suite that the checks read."""
        return tuple(resource for resource in self.configuration if not isinstance(resource, Policy))


class Statement(InToto):
    """The statement around a predicate of any type."""

    type: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: tuple[Subject, ...]
    predicate_type: str
    predicate: dict[str, Any]


def subject_of(repo_digest: str) -> Subject | None:
    """``registry.example/service@sha256:...``, without a tag beside the digest; None of any other form."""
    match = _REPO_DIGEST.fullmatch(repo_digest)
    return Subject(name=match["name"], digest=Digest(sha256=match["sha256"])) if match else None
