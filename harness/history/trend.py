"""What a folder of reports shows over time: each run, what it changed, and how its numbers went."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from harness.checks.golden.distribution import ERROR
from harness.checks.golden.judge import SHARE_OF_TOLERANCE
from harness.checks.latency.findings import CHECK_ID
from harness.history.compare import machine_name
from harness.history.folder import Stored
from harness.history.policies import compare_policies
from harness.model import (
    Decision,
    Direction,
    Family,
    Finding,
    Model,
    ModelIdentity,
    Outcome,
    PolicyRecord,
    Report,
    Scope,
    Utf8Text,
)
from harness.reports.summary import release_name

_QUANTILE = re.compile(rf"{re.escape(CHECK_ID)}\.(p\d+(?:\.\d+)?)(?:\.slo)?")
_GOOD = frozenset({Outcome.PASS, Outcome.WARN, Outcome.NOT_APPLICABLE})


class HistoryRun(Model):
    """One run of a history.

    Attributes:
        report: The file's name in the folder.
        latency_ms: Of the paired load, by quantile.
        tolerance_used: Share of each golden tolerance that the worst case used, by finding.
        not_passed: Outcome of each required check that did not pass.
        changed: What is different of the run before in this list, a few words each.
    """

    report: Utf8Text
    run_id: Utf8Text
    started_at: Utf8Text
    duration_s: float
    decision: Decision
    scope: Scope
    partial: bool
    candidate: Utf8Text
    image_id: Utf8Text | None
    repo_digest: Utf8Text | None
    model: ModelIdentity
    machine: Utf8Text
    harness_version: Utf8Text
    policy_sha256: Utf8Text
    latency_ms: dict[Utf8Text, float]
    tolerance_used: dict[Utf8Text, float]
    not_passed: dict[Utf8Text, Outcome]
    changed: tuple[Utf8Text, ...] = ()


class HistoryGroup(Model):
    """The runs of one suite on one device, from the oldest to the newest."""

    suite: Utf8Text
    device: Literal["cpu", "gpu"]
    runs: tuple[HistoryRun, ...]


class HistoryDocument(Model):
    """What ``harness history --json`` prints.

    Attributes:
        left_out: Why a file of the folder is no report, by its name.
    """

    groups: tuple[HistoryGroup, ...]
    left_out: dict[Utf8Text, Utf8Text]


@dataclass(frozen=True)
class Summary:
    """What is kept of a report that was read: a thousand whole ones would fill the memory."""

    order: tuple[object, str]
    suite: str
    device: Literal["cpu", "gpu"]
    policy: PolicyRecord
    run: HistoryRun


def summarised(stored: Stored) -> Summary:
    """The summary of one report."""
    report = stored.report
    findings = [finding for check in report.checks for finding in check.findings]
    golden = (
        finding for check in report.checks if check.family is Family.GOLDEN for finding in check.findings
    )
    return Summary(
        order=stored.started,
        suite=report.suite,
        device=report.candidate.device,
        policy=report.policy,
        run=HistoryRun(
            report=stored.path.name,
            run_id=report.run_id,
            started_at=report.started_at,
            duration_s=report.duration_s,
            decision=report.decision,
            scope=report.scope,
            partial=report.partial,
            candidate=release_name(report.candidate),
            image_id=report.candidate.image_id,
            repo_digest=report.candidate.repo_digest,
            model=report.candidate.model,
            machine=machine_name(report),
            harness_version=report.harness_version,
            policy_sha256=report.policy.sha256,
            latency_ms=dict(_quantiles(findings)),
            tolerance_used=dict(_tolerances(golden)),
            not_passed={
                check.id: check.outcome
                for check in report.checks
                if check.required and check.outcome not in _GOOD
            },
        ),
    )


def is_of(report: Report, words: str) -> bool:
    """Whether a candidate is meant by ``words``: a part of its name, digest, URL or model version."""
    candidate = report.candidate
    marks = (
        candidate.image,
        candidate.image_id,
        candidate.repo_digest,
        candidate.url,
        candidate.model.name,
        candidate.model.version,
    )
    return any(mark is not None and words in mark for mark in marks)


def history(summaries: Iterable[Summary], limit: int) -> tuple[HistoryGroup, ...]:
    """The newest ``limit`` runs of each suite and device, each beside the one before it."""
    groups: dict[tuple[str, Literal["cpu", "gpu"]], list[Summary]] = defaultdict(list)
    for summary in sorted(summaries, key=lambda each: each.order):
        groups[summary.suite, summary.device].append(summary)
    return tuple(
        HistoryGroup(suite=suite, device=device, runs=_runs(members[-limit - 1 :])[-limit:])
        for (suite, device), members in sorted(groups.items())
    )


def series(group: HistoryGroup) -> dict[str, tuple[float | None, ...]]:
    """Every number that any run of a group has, by name with its unit; None where one lacks it.

    A share is that of a golden tolerance.
    """
    runs = group.runs
    quantiles = sorted({name for run in runs for name in run.latency_ms}, key=lambda name: float(name[1:]))
    tolerances = dict.fromkeys(name for run in runs for name in run.tolerance_used)
    return {
        **{f"{name}, ms": tuple(run.latency_ms.get(name) for run in runs) for name in quantiles},
        **{f"{name}, share": tuple(run.tolerance_used.get(name) for run in runs) for name in tolerances},
        "took, s": tuple(run.duration_s for run in runs),
    }


def _runs(members: list[Summary]) -> tuple[HistoryRun, ...]:
    later = (
        now.run.model_copy(update={"changed": tuple(_changed(then, now))}) for then, now in pairwise(members)
    )
    return (*(member.run for member in members[:1]), *later)


def _changed(then: Summary, now: Summary) -> Iterator[str]:
    before, after = then.run, now.run
    for check, outcome in after.not_passed.items():
        if before.not_passed.get(check) is not outcome:
            yield f"{check}: {outcome.value}"
    mended = before.not_passed.keys() - after.not_passed.keys()
    if mended and not after.partial:
        yield f"passes again: {', '.join(check for check in before.not_passed if check in mended)}"
    if before.model.version != after.model.version:
        yield f"model {before.model.version or 'unknown'} → {after.model.version or 'unknown'}"
    elif before.model.sha256 != after.model.sha256:
        yield "another model of the same version"
    if before.policy_sha256 != after.policy_sha256:
        yield _policy(then, now)
    if before.machine != after.machine:
        yield "another machine"
    if before.harness_version != after.harness_version:
        yield f"harness {before.harness_version} → {after.harness_version}"


def _policy(then: Summary, now: Summary) -> str:
    compared = compare_policies(then.policy, now.policy)
    counts = {
        way: sum(change.direction is way for change in compared.changes)
        for way in (Direction.LOOSENED, Direction.TIGHTENED, Direction.CHANGED)
    }
    told = ", ".join(f"{count} {way.value}" for way, count in counts.items() if count)
    return f"policy: {'not comparable' if compared.problem else told or 'other words'}"


def _quantiles(findings: Iterable[Finding]) -> Iterator[tuple[str, float]]:
    for finding in findings:
        match = _QUANTILE.fullmatch(finding.id) if finding.unit == "ms" else None
        observed = _finite(finding.observed)
        if match and observed is not None:
            yield match[1], observed


def _tolerances(findings: Iterable[Finding]) -> Iterator[tuple[str, float]]:
    for finding in findings:
        observed, limit = _finite(finding.observed), _finite(finding.limit)
        if finding.unit not in {SHARE_OF_TOLERANCE, ERROR} or observed is None or not limit:
            continue
        if math.isfinite(used := abs(observed / limit)):
            yield finding.id, used


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
