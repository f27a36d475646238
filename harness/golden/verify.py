"""Holds a golden set against a service, as ``golden.single`` of a gate does."""

from datetime import date
from pathlib import Path

from harness.checks.golden.single import GoldenSingle
from harness.golden.service import Service, golden_settings
from harness.judgement import conclude
from harness.model import Finding, Model, Outcome, TargetDescription


class Verification(Model):
    """What came of it.

    Attributes:
        outcome: Of the whole; fewer cases asked than there are is inconclusive.
        findings: One for the answers, the others for the outputs.
    """

    outcome: Outcome
    expected: int
    executed: int
    service: TargetDescription
    findings: tuple[Finding, ...]


def verify(service: Service, folder: Path, *, today: date) -> Verification:
    """Ask every case and judge the answers under the suite's tolerances.

    Args:
        folder: For the evidence.
        today: Decides which waivers have expired.

    Raises:
        TargetError: when the service died.
    """
    check, settings = GoldenSingle(), golden_settings(service.suite)
    evidence = check.collect(service.context(folder, check.id), settings)
    evidence.save(folder, service.credentials.redact)
    result = conclude(
        check,
        check.evidence.load(folder),
        settings,
        service.suite.config.policy,
        required=True,
        duration_s=0.0,
        today=today,
        reproduce="",
        evidence_files={},
    )
    return Verification(
        outcome=result.outcome,
        expected=result.expected,
        executed=result.executed,
        service=service.description,
        findings=result.findings,
    )
