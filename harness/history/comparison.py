"""What ``harness compare --json`` prints: how a later run differs from an earlier one."""

from enum import StrEnum

from harness.model import Decision, Model, Outcome, PolicyChange, Scalar, Scope, TargetDescription, Utf8Text


class Movement(StrEnum):
    """What became of a check or finding; in the order a reader wants them."""

    WORSE = "worse"
    APPEARED = "appeared"
    DISAPPEARED = "disappeared"
    BETTER = "better"
    MOVED = "moved"
    """The outcome is the same, and something else is not."""


class Run(Model):
    """One of the two runs."""

    run_id: Utf8Text
    started_at: Utf8Text
    duration_s: float
    suite: Utf8Text
    decision: Decision
    scope: Scope
    partial: bool
    candidate: TargetDescription
    reference: TargetDescription | None
    policy_sha256: Utf8Text
    harness_version: Utf8Text


class IdentityChange(Model):
    """A mark of candidate or reference that differs (``candidate: Image id``); None where there is none."""

    what: Utf8Text
    then: Utf8Text | None
    now: Utf8Text | None


class CheckSeen(Model):
    """How one check went."""

    outcome: Outcome
    required: bool
    executed: int
    expected: int
    duration_s: float


class CheckChange(Model):
    """A check that went otherwise; how long it took is no difference by itself.

    Attributes:
        then: None where that run did not have it, likewise ``now``.
    """

    check_id: Utf8Text
    movement: Movement
    then: CheckSeen | None
    now: CheckSeen | None


class FindingSeen(Model):
    """What one finding said; as of :class:`harness.model.Finding`."""

    outcome: Outcome
    message: Utf8Text
    observed: Scalar
    limit: Scalar
    unit: Utf8Text
    samples: int
    lower: float | None
    upper: float | None
    waiver: Utf8Text | None


class FindingChange(Model):
    """A finding that says something else; another message or number of samples is none by itself."""

    check_id: Utf8Text
    finding_id: Utf8Text
    movement: Movement
    then: FindingSeen | None
    now: FindingSeen | None


class Comparison(Model):
    """Two runs beside each other.

    Attributes:
        not_comparable: Why numbers of the two say little of each other, a sentence each.
        asked_otherwise: Checks whose questions differ: by other settings or by other files.
        policy: The keys in which the policies differ; ``policy_problem`` says why they were not compared.
    """

    then: Run
    now: Run
    not_comparable: tuple[str, ...]
    asked_otherwise: tuple[Utf8Text, ...]
    identities: tuple[IdentityChange, ...]
    policy: tuple[PolicyChange, ...]
    policy_problem: Utf8Text
    checks: tuple[CheckChange, ...]
    findings: tuple[FindingChange, ...]
