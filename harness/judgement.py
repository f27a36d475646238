"""From evidence to a check's result; the same for a run and for ``harness judge``."""

import hashlib
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType

from harness.checks.interface import AnyJudge, Evidence
from harness.config.policy import PolicySettings, Waiver
from harness.config.section import FamilySettings
from harness.model import (
    WORST_FIRST,
    Capability,
    CheckError,
    CheckResult,
    ErrorKind,
    Finding,
    Outcome,
    Scalar,
)

MOST_CHARACTERS = 4000
"""Of what a finding quotes: the evidence has it whole, and reports stay small whatever a candidate wrote."""


def conclude(
    check: AnyJudge,
    evidence: Evidence,
    settings: FamilySettings,
    policy: PolicySettings,
    *,
    required: bool,
    duration_s: float,
    today: date,
    reproduce: str,
    evidence_files: Mapping[str, str],
    inputs: Mapping[str, str] = MappingProxyType({}),
    evidence_at: Path | None = None,
) -> CheckResult:
    """Judge evidence and sum the findings up.

    Two findings of one id are an error of the check: a waiver of the one would cover the other.

    Args:
        reproduce: Command that makes the check again, with targets of its own.
        evidence_files: As in :class:`harness.model.CheckResult`; ``inputs`` alike.
        today: Decides which waivers have expired.
        evidence_at: Where the evidence of the run lies once that is stored.
    """
    findings = [
        _bounded(finding).model_copy(update={"reproduce": _commands(finding, reproduce, evidence_at)})
        for finding in check.judge(evidence, settings.limits)
    ]
    name, times = Counter(finding.id for finding in findings).most_common(1)[0] if findings else ("", 0)
    if times > 1:
        return errored(
            check,
            ErrorKind.HARNESS,
            f"{times} findings have the id {name}",
            required=required,
            duration_s=duration_s,
            evidence_files=evidence_files,
        )
    findings = [_waived(finding, policy.waivers, today) for finding in findings]
    outcome, reason, error = outcome_of(findings, expected=evidence.expected, executed=evidence.executed)
    return CheckResult(
        id=check.id,
        family=check.family,
        required=required,
        outcome=outcome,
        expected=evidence.expected,
        executed=evidence.executed,
        duration_s=round(duration_s, 3),
        reason=reason,
        error=error,
        findings=tuple(findings),
        evidence_files=dict(evidence_files),
        settings_sha256=asked_sha256(settings),
        inputs=dict(inputs),
        reproduce=reproduce,
    )


def without_evidence(
    check: AnyJudge, outcome: Outcome, reason: str, *, required: bool, missing: Capability | None = None
) -> CheckResult:
    """The result of a check that was not made."""
    return CheckResult(
        id=check.id,
        family=check.family,
        required=required,
        outcome=outcome,
        expected=0,
        executed=0,
        duration_s=0.0,
        reason=reason,
        missing=missing,
    )


def errored(
    check: AnyJudge,
    kind: ErrorKind,
    message: str,
    *,
    required: bool,
    duration_s: float = 0.0,
    evidence_files: Mapping[str, str] | None = None,
) -> CheckResult:
    """The result of a check that could not be brought to its end."""
    return CheckResult(
        id=check.id,
        family=check.family,
        required=required,
        outcome=Outcome.ERROR,
        expected=0,
        executed=0,
        duration_s=round(duration_s, 3),
        reason=message,
        error=CheckError(kind=kind, message=message),
        evidence_files=dict(evidence_files or {}),
    )


def asked_sha256(settings: FamilySettings) -> str:
    """Digest of what was asked: the settings without their limits."""
    asked = settings.model_dump(mode="json", exclude={"limits"})
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def outcome_of(
    findings: Sequence[Finding], *, expected: int, executed: int
) -> tuple[Outcome, str, CheckError | None]:
    """What a check's findings and cases come to, and why.

    A failure found stands; short of one, too few cases are no pass.
    """
    worst = min((finding.outcome for finding in findings), key=WORST_FIRST.index, default=Outcome.ERROR)
    if worst is Outcome.FAIL:
        return worst, "", None
    if not findings or executed == 0 or expected == 0:
        cases = f"{executed} of {expected} cases"
        message = f"nothing was checked ({cases}, {len(findings)} findings)"
        return Outcome.ERROR, message, CheckError(kind=ErrorKind.NOTHING_CHECKED, message=message)
    if executed < expected and worst is not Outcome.ERROR:
        return Outcome.INCONCLUSIVE, f"{executed} of at least {expected} cases", None
    return worst, "", None


def _bounded(finding: Finding) -> Finding:
    quoted = {"message": finding.message, "observed": finding.observed, "limit": finding.limit}
    return finding.model_copy(update={name: _cut(value) for name, value in quoted.items()})


def _cut(value: Scalar) -> Scalar:
    if not isinstance(value, str) or len(value) <= MOST_CHARACTERS:
        return value
    return f"{value[:MOST_CHARACTERS]}… [{len(value) - MOST_CHARACTERS} more characters]"


def _commands(finding: Finding, again: str, evidence_at: Path | None) -> str:
    """The run's command, and the finding's own: its target is gone, but another takes the same request."""
    lines = [again]
    if finding.replay and evidence_at is not None:
        stored = shlex.quote(str(evidence_at / finding.replay))
        lines += ["# or what failed alone:", f"{again} --replay {stored}"]
    if finding.reproduce:
        lines += ["# or its requests alone, to a service that runs:", finding.reproduce]
    return "\n".join(lines)


def _waived(finding: Finding, waivers: tuple[Waiver, ...], today: date) -> Finding:
    """A failure under a waiver that counts and has not expired becomes a warning that names the waiver."""
    if finding.outcome is not Outcome.FAIL:
        return finding
    waiver = next((w for w in waivers if w.finding == finding.id and today <= w.expires), None)
    if waiver is None:
        return finding
    if not finding.waivable:
        message = f"{finding.message}; this is never waived, so the waiver by {waiver.owner} does not count"
        return finding.model_copy(update={"message": message})
    text = f"{waiver.owner}: {waiver.reason} (until {waiver.expires.isoformat()})"
    return finding.model_copy(update={"outcome": Outcome.WARN, "waiver": text})
