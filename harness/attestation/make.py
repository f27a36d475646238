"""What of a report can be attested, and the statement that says it."""

import re
from pathlib import Path, PurePath
from typing import Literal

from pydantic import ValidationError

from harness.attestation.statement import (
    PREDICATE_TYPE,
    Annotations,
    Digest,
    Policy,
    Resource,
    Run,
    Statement,
    Subject,
    TestResult,
    subject_of,
)
from harness.config.suite import parse_suite
from harness.errors import ConfigError, UsageError
from harness.judgement import outcome_of
from harness.model import CheckResult, Decision, Outcome, Report, Scope, TargetDescription
from harness.rejudge import verdict_of, verify_policy

_AS_WRITTEN = "the report as `harness run` wrote it"
_RUN_URL = re.compile(r"https?://[a-z0-9.\[\]:-]+/[!-~]*")


def attest(report: Report, path: Path, *, report_sha256: str, url: str | None = None) -> Statement:
    """The statement about the candidate of ``report``.

    Args:
        report: The stored report.
        path: Where it was read, for messages.
        report_sha256: Digest of that file.
        url: Where people find the run.

    Raises:
        UsageError: there is no true statement to make: of a partial run, of one without a container, of an
            inconclusive verdict, or of an image that no registry has.
        ConfigError: the report does not agree with itself.
    """
    subject = _subject(report, path)
    _require_agreement(report, path)
    if url is not None and not _RUN_URL.fullmatch(url):
        raise UsageError(
            f"--url {url}: not the address of a run", fix="an http or https URL, percent-encoded"
        )
    try:
        predicate = TestResult(
            result=_result(report),
            configuration=(_policy(report, report_sha256), *_files(report, path)),
            url=url,
            passed_tests=_ids(report, Outcome.PASS),
            warned_tests=_ids(report, Outcome.WARN),
            failed_tests=_ids(report, Outcome.FAIL),
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(
            file=path, key=key, value=first["input"], problem=first["msg"], allowed=_AS_WRITTEN
        ) from error
    return Statement(
        type="https://in-toto.io/Statement/v1",
        subject=(subject,),
        predicate_type=PREDICATE_TYPE,
        predicate=predicate.model_dump(mode="json", exclude_none=True),
    )


def _subject(report: Report, path: Path) -> Subject:
    fix = "gate the image by its digest: `harness run --candidate REPO@sha256:...`"
    subject = subject_of(report.candidate.repo_digest or "")
    other = {report.scope, report.candidate.kind} - {Scope.CONTAINER}
    if other:
        why = f"its candidate was a {other.pop().value}, so the verdict is of no image"
    elif report.partial or report.only or report.only_checks or report.skip or report.replay:
        why = "it is partial: families or checks were left out, or stored requests were replayed"
        fix = "gate it whole, without --only, --skip and --replay"
    elif report.decision is Decision.INCONCLUSIVE:
        why = "it is inconclusive, which is neither PASSED nor FAILED"
        fix = "the report says what was missing; gate it again"
    elif report.candidate.repo_digest is None:
        why = "its image was never pushed, so there is no digest by which others find it"
        fix = "push it to the registry, then gate it by what that gives: REPO@sha256:..."
    elif subject is not None:
        return subject
    else:
        why = f"candidate.repo_digest is no repository digest ({report.candidate.repo_digest!r:.80})"
    raise UsageError(f"{path}: cannot be attested: {why}", fix=fix)


def _require_agreement(report: Report, path: Path) -> None:
    """The policy is the one that was digested, by it the results come to the decision."""
    verify_policy(report, path)
    suite = parse_suite(report.policy.content, Path(report.policy.path)).on(report.candidate.device)
    decision = verdict_of(report, report.checks, suite).decision
    if decision is not report.decision:
        raise ConfigError(
            file=path,
            key="decision",
            value=report.decision.value,
            problem=f"its checks come to {decision.value}",
            allowed=_AS_WRITTEN,
        )
    if decision is Decision.PROMOTE and report.reasons:
        first = report.reasons[0].message
        raise ConfigError(
            file=path, key="reasons", value=first, problem="a promote has none", allowed=_AS_WRITTEN
        )
    for check in report.checks:
        _require_support(check, path)


def _require_support(check: CheckResult, path: Path) -> None:
    """The outcome is what the findings and cases come to; without a finding it is no judgement."""
    if not check.findings and check.outcome not in {Outcome.PASS, Outcome.WARN, Outcome.FAIL}:
        return
    outcome, _, _ = outcome_of(check.findings, expected=check.expected, executed=check.executed)
    if outcome is not check.outcome:
        raise ConfigError(
            file=path,
            key=f"checks.{check.id}.outcome",
            value=check.outcome.value,
            problem=f"its findings and cases come to {outcome.value}",
            allowed=_AS_WRITTEN,
        )


def _result(report: Report) -> Literal["PASSED", "WARNED", "FAILED"]:
    """PASSED leaves nothing beyond a limit; WARNED is a promote that a waiver, or no requirement, let by."""
    if report.decision is Decision.REJECT:
        return "FAILED"
    let_by = [check for check in report.checks if check.outcome is Outcome.FAIL or _waived(check)]
    return "WARNED" if let_by else "PASSED"


def _waived(check: CheckResult) -> bool:
    return any(finding.waiver is not None for finding in check.findings)


def _ids(report: Report, outcome: Outcome) -> tuple[str, ...]:
    return tuple(check.id for check in report.checks if check.outcome is outcome)


def _policy(report: Report, report_sha256: str) -> Policy:
    run = {
        "id": report.run_id,
        "report_sha256": report_sha256,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "device": report.candidate.device,
        "reference": _name(report.reference) if report.reference else None,
        "seed": report.seed,
        "harness_version": report.harness_version,
    }
    return Policy(
        name=PurePath(report.policy.path).name,
        digest=Digest(sha256=report.policy.sha256),
        annotations=Annotations(harness_run=Run.model_validate(run)),
    )


def _files(report: Report, path: Path) -> list[Resource]:
    """The files of the suite that the checks read."""
    digests: dict[str, str] = {}
    for check in report.checks:
        for name, sha256 in check.inputs.items():
            if digests.setdefault(name, sha256) != sha256:
                raise ConfigError(
                    file=path,
                    key=f"checks.{check.id}.inputs",
                    value=name,
                    problem="other bytes than another check of the run had read",
                    allowed="gate it again, and leave the suite alone meanwhile",
                )
    return [Resource(name=name, digest=Digest(sha256=digests[name])) for name in sorted(digests)]


def _name(target: TargetDescription) -> str:
    return target.repo_digest or target.image_id or target.url or target.kind.value
