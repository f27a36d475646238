"""What a run produces: findings, check results, the verdict and the report around them.

These models are the JSON of ``reports/<run_id>.json``; ``contracts/report.schema.json`` is made from them.
"""

import math
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

SCHEMA_VERSION = "1.0"

NOT_FINITE = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def _not_finite(value: object) -> object:
    """JSON has no infinity: it is stored as a string."""
    return NOT_FINITE.get(value, value) if isinstance(value, str) else value


def as_utf8(text: str) -> str:
    r"""``text``, each half of a surrogate pair that stands alone written as its escape (``\ud800``).

    JSON allows such halves and UTF-8 does not: without this an answer could keep its own report from being
    written.
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


Utf8Text = Annotated[str, AfterValidator(as_utf8)]
"""Text that a candidate may have written."""

Scalar = Annotated[
    StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, AfterValidator(as_utf8)] | None,
    Field(union_mode="left_to_right"),
    BeforeValidator(_not_finite),
]


class Family(StrEnum):
    """The families of checks, in the order a report lists them."""

    IMAGE = "image"
    ARTIFACT = "artifact"
    LIFECYCLE = "lifecycle"
    CONTRACT = "contract"
    GOLDEN = "golden"
    FUZZ = "fuzz"
    SCENARIOS = "scenarios"
    TELEMETRY = "telemetry"
    DRIFT = "drift"
    LATENCY = "latency"


class Outcome(StrEnum):
    """What became of a check or a finding."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    NOT_APPLICABLE = "not_applicable"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


WORST_FIRST = (
    Outcome.FAIL,
    Outcome.ERROR,
    Outcome.INCONCLUSIVE,
    Outcome.SKIP,
    Outcome.WARN,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)
"""What a whole is of its parts' outcomes: the first of these that one has."""


class Decision(StrEnum):
    """The verdict on the candidate."""

    PROMOTE = "promote"
    REJECT = "reject"
    INCONCLUSIVE = "inconclusive"


class Scope(StrEnum):
    """What kind of target the candidate was."""

    CONTAINER = "container"
    PROCESS = "process"
    URL = "url"


class Capability(StrEnum):
    """What a check or a limit may need and a run may lack."""

    CONTAINER = "container"
    REFERENCE = "reference"
    REFERENCE_CONTAINER = "reference_container"


class ErrorKind(StrEnum):
    """Whose fault an errored check is."""

    CANDIDATE = "candidate"
    INFRASTRUCTURE = "infrastructure"
    HARNESS = "harness"
    NOTHING_CHECKED = "nothing_checked"


class Model(BaseModel):
    """Base of all report models: immutable, no unknown keys, infinities kept as JSON strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Finding(Model):
    """One observation and how it stands to its limit.

    Attributes:
        id: Stable id, prefixed by the check id (``golden.single.probabilities``).
        observed: The value seen; ``limit`` is what it was held against, both in ``unit``.
        samples: How many observations stand behind it.
        lower: Bound of ``observed`` in ``unit``, ``upper`` likewise; None without, and where there is none.
        detectable: The critical value: the least value of ``observed`` that so many observations, as noisy as
            these, would have shown to be beyond the limit; None where there is no such value. What is truly
            there is shown in about half of the cases.
        confidence: For statistical findings, the level at which it holds, else None.
        evidence: Path of the evidence, relative to the report's evidence folder.
        reproduce: A shell command that shows it again.
        replay: A stored request for ``harness run --replay``, relative to the evidence folder.
        missing: For ``not_applicable``: the capability that this run lacked.
        waiver: For a waived failure: who waived it and why.
        waivable: Whether a waiver of the policy counts; where not, a failure stands whatever it says.
    """

    id: Utf8Text
    outcome: Outcome
    message: Utf8Text
    observed: Scalar = None
    limit: Scalar = None
    unit: Utf8Text = ""
    samples: int = 0
    lower: float | None = None
    upper: float | None = None
    detectable: float | None = None
    confidence: float | None = None
    evidence: Utf8Text = ""
    reproduce: Utf8Text = ""
    replay: Utf8Text = ""
    missing: Capability | None = None
    waiver: Utf8Text | None = None
    waivable: bool = True


class CheckError(Model):
    """Why a check has no judgement."""

    kind: ErrorKind
    message: Utf8Text


class CheckResult(Model):
    """One check of one run.

    Attributes:
        expected: The least number of cases that makes this a check; ``executed`` is how many ran.
        evidence_files: SHA-256 of each evidence file, by path relative to the evidence folder.
        settings_sha256: Digest of the settings that collected the evidence; ``judge`` refuses others.
        inputs: SHA-256 of each file of the suite that was read for it, by path relative to gate.toml.
        reproduce: Command that makes the check again.
    """

    id: Utf8Text
    family: Family
    required: bool
    outcome: Outcome
    expected: int
    executed: int
    duration_s: float
    reason: Utf8Text = ""
    missing: Capability | None = None
    error: CheckError | None = None
    findings: tuple[Finding, ...] = ()
    evidence_files: dict[str, str] = {}
    settings_sha256: str = ""
    inputs: dict[Utf8Text, str] = {}
    reproduce: Utf8Text = ""


class Reason(Model):
    """One line of why the verdict is what it is."""

    check_id: Utf8Text
    finding_id: Utf8Text
    message: Utf8Text


class Verdict(Model):
    """The decision and its reasons; no reasons means every required check passed."""

    decision: Decision
    reasons: tuple[Reason, ...] = ()


class ModelIdentity(Model):
    """The model a target serves, as its metadata endpoint says; None where not declared."""

    name: Utf8Text | None = None
    version: Utf8Text | None = None
    sha256: Utf8Text | None = None


class TargetDescription(Model):
    """What was tested: enough to find the same bytes again.

    Attributes:
        execution_provider: What runs its model, as its metadata says; likewise the next two.
        execution_providers: All that may, in order of preference; None where not told.
        nodes_by_provider: How many nodes of the model each of them runs; None where not told.
    """

    kind: Scope
    image: Utf8Text | None = None
    image_id: Utf8Text | None = None
    repo_digest: Utf8Text | None = None
    url: Utf8Text | None = None
    model: ModelIdentity = ModelIdentity()
    device: Literal["cpu", "gpu"] = "cpu"
    execution_provider: Utf8Text | None = None
    execution_providers: tuple[Utf8Text, ...] | None = None
    nodes_by_provider: dict[Utf8Text, int] | None = None
    startup_s: float | None = None


class PolicyRecord(Model):
    """The policy that decided, whole, so that a stored run can be decided again."""

    path: Utf8Text
    sha256: str
    content: str


class Environment(Model):
    """The machine and software of the run."""

    cpu: str
    cores: int
    memory_bytes: int
    gpu: str | None = None
    driver: str | None = None
    kernel: str
    engine: str | None
    python: str
    packages: dict[str, str]


class Direction(StrEnum):
    """Which way a key of the policy went."""

    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    CHANGED = "changed"
    """Neither, or it cannot be told."""


class PolicyChange(Model):
    """One key in which two policies differ.

    Attributes:
        key: Dotted (``latency.limits.p99.margin``).
        old: Its value there, defaults included; None where there is none, likewise ``new``. What is no scalar
            is written as JSON.
    """

    key: Utf8Text
    direction: Direction
    old: Scalar = None
    new: Scalar = None


class SinceLastPromote(Model):
    """How the policy of a run lets more pass than that of the last promoted release; it decides nothing.

    Attributes:
        run_id: Of the last promote of the same suite on the same device in the folder of reports.
        image: As that run named it; likewise ``image_id`` and ``repo_digest``.
        policy_sha256: Of its policy.
        changes: What was loosened since, and what else judges that was changed in a way that cannot be told.
        problem: Why nothing could be compared, else empty.
    """

    run_id: Utf8Text
    finished_at: Utf8Text
    image: Utf8Text | None
    image_id: Utf8Text | None
    repo_digest: Utf8Text | None
    policy_sha256: Utf8Text
    changes: tuple[PolicyChange, ...] = ()
    problem: Utf8Text = ""


class BoundedShare(Model):
    """A share, and how far it may truly be on the bad side of what was seen, by Clopper and Pearson's bound.

    Attributes:
        seen: ``hits`` of ``samples``; None where there are no samples.
        bound: On one side, at ``confidence``.
    """

    hits: int
    samples: int
    seen: float | None
    bound: float
    confidence: float


class SelftestRecord(Model):
    """What the last selftest beside a run's report showed of the gate itself; it decides nothing.

    Attributes:
        path: Of its document, relative to the folder of reports.
        suite: Name of the suite that it was of; ``policy_sha256`` likewise.
        digest: Of all that its figures depend on, but for the images.
        digest_at_run: Of the same when this run ended; empty where nobody could tell.
        proxied: Whether its faults were injected by a proxy, not those of a catalogue.
        mode: Whether faults met only the checks that had to fail (``quick``), or the whole gate.
        faults: All that there are, and ``benign`` changes.
        detection: Of the faults that were met, those that the gate rejected for the right reason.
        killed_extended: Of those, the ones that more than the suite was needed for: what their entries add.
        false_rejects: Of the benign changes that were decided, those that it rejected.
        undecided: Faults and benign changes; ``inactive``, ``error`` and ``untried`` likewise.
        stale: Why it says little of this run: of something else, or of what was changed since; else empty.
    """

    path: Utf8Text
    finished_at: Utf8Text
    suite: Utf8Text
    policy_sha256: Utf8Text
    harness_version: Utf8Text
    digest: Utf8Text
    digest_at_run: Utf8Text = ""
    proxied: bool = False
    mode: Literal["quick", "full"]
    faults: int
    benign: int
    detection: BoundedShare
    killed_extended: int
    false_rejects: BoundedShare
    undecided: int
    inactive: int
    error: int
    untried: int
    stale: Utf8Text = ""


class Report(Model):
    """``reports/<run_id>.json``.

    Attributes:
        partial: Whether families were left out, by ``only`` (empty keeps all) or ``skip``, or ``replay``.
        only_checks: The checks that were asked for by name; of their families no other was made.
        replay: SHA-256 of each stored request that was sent instead of what the family asks, by its path.
        unused_waivers: Findings that the policy waives and the run does not have.
        not_declared: Families and checks of which the suite declares nothing, so that nothing was checked.
        since_last_promote: None where there is no promoted release to compare the policy with.
        limits_not_compared: Why there is none, for a whole run of a container; else empty.
        selftest: None where no selftest lies beside the report.
    """

    schema_version: str = SCHEMA_VERSION
    run_id: str
    started_at: str
    finished_at: str
    duration_s: float
    decision: Decision
    reasons: tuple[Reason, ...]
    scope: Scope
    partial: bool
    only: tuple[Family, ...] = ()
    only_checks: tuple[str, ...] = ()
    skip: tuple[Family, ...] = ()
    replay: dict[str, str] = {}
    suite: str
    not_declared: tuple[str, ...] = ()
    unused_waivers: tuple[str, ...] = ()
    candidate: TargetDescription
    reference: TargetDescription | None
    policy: PolicyRecord
    seed: int
    harness_version: str
    environment: Environment
    validity: dict[str, Any]
    order: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    since_last_promote: SinceLastPromote | None = None
    limits_not_compared: Utf8Text = ""
    selftest: SelftestRecord | None = None
