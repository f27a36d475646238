"""What the gate found, in pytest's terms and in plain data, which xdist can send from a worker."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypedDict

import pytest

from harness.model import CheckResult, Decision, ErrorKind, Finding, Outcome, Report
from harness.reports.causes import causes
from harness.reports.summary import caveats, headline, why
from harness.reports.text import (
    command_lines,
    cut,
    interval,
    observed_and_limit,
    one_line,
    visible,
    without_workflow_commands,
    words,
)

KEY = "gate"
"""The attribute of a report of pytest that holds :class:`Told`."""

Phase = Literal["passed", "skipped", "failed", "error"]

_MOST_NAME = 200
_MOST_TEXT = 2000
_MOST_LISTED = 20
_COMPARED = ("observed", "limit", "interval", "confidence")


class ToldFinding(TypedDict):
    """A finding: ``name`` ends its node id, ``title`` heads its failure."""

    name: str
    title: str
    phase: Phase
    text: str
    properties: list[tuple[str, str]]


class Told(TypedDict):
    """A check or the verdict; ``summary`` is of the whole run."""

    phase: Phase
    text: str
    findings: list[ToldFinding]
    summary: list[str]


def phase(outcome: Outcome, kind: ErrorKind | None = None) -> Phase:
    """``failed`` is what speaks against the candidate, ``error`` what nobody knows; neither passes."""
    match outcome:
        case Outcome.PASS | Outcome.WARN:
            return "passed"
        case Outcome.SKIP | Outcome.NOT_APPLICABLE:
            return "skipped"
        case Outcome.FAIL:
            return "failed"
        case Outcome.ERROR:
            return "failed" if kind is ErrorKind.CANDIDATE else "error"
        case Outcome.INCONCLUSIVE:
            return "error"


def check(result: CheckResult, report: Report, path: Path) -> Told:
    """One check and its findings."""
    kind = result.error.kind if result.error else None
    because = why(result) or _share(result)
    decisive = [finding for finding in result.findings if finding.outcome is result.outcome]
    worst = decisive if phase(result.outcome, kind) in {"failed", "error"} else []
    lines = [f"{result.id}: {result.outcome.value}{because and f' - {because}'}"]
    if worst:
        lines += [
            *(f"  {finding.id}: {finding.message}" for finding in worst[:_MOST_LISTED]),
            f"report: {path}",
        ]
    return Told(
        phase=phase(result.outcome, kind),
        text=_text(lines),
        findings=[_finding(result, finding, path) for finding in result.findings],
        summary=summary(report, path),
    )


def verdict(report: Report, path: Path) -> Told:
    """The decision, and why."""
    phases: dict[Decision, Phase] = {
        Decision.PROMOTE: "passed",
        Decision.REJECT: "failed",
        Decision.INCONCLUSIVE: "error",
    }
    of = causes(report)
    reasons = [
        f"  {words(cause.outcome)} {cause.reason.finding_id or cause.reason.check_id}: {cause.reason.message}"
        for cause in (*of.deciding, *of.besides)
    ]
    lines = [f"verdict: {report.decision.value}, {headline(report)}", *reasons[:_MOST_LISTED]]
    return Told(
        phase=phases[report.decision],
        text=_text([*lines, f"report: {path}"]),
        findings=[],
        summary=summary(report, path),
    )


def summary(report: Report, path: Path) -> list[str]:
    """The verdict, what passed with a warning, what was not looked at, and where the report is."""
    warned = [
        f"{finding.id}: {finding.message}"
        for result in report.checks
        for finding in result.findings
        if finding.outcome is Outcome.WARN
    ]
    lines = [
        f"{report.decision.value.upper()}  {headline(report)}",
        *(f"warning  {line}" for line in warned[:_MOST_LISTED]),
        *caveats(report),
        f"report  {path}",
    ]
    return [one_line(line) for line in lines]


def reports_of(told: ToldFinding, of: pytest.TestReport) -> Iterator[pytest.TestReport]:
    """A finding's own reports, after that of its check: its outcome, and its end with all it measured."""
    unknown = told["phase"] == "error"
    reason = (of.location[0], 1, told["text"])
    report = _report(told, of, "setup" if unknown else "call")
    report.outcome = "failed" if told["phase"] == "error" else told["phase"]
    report.longrepr = {"passed": None, "skipped": reason}.get(told["phase"], told["text"])
    yield report
    end = _report(told, of, "teardown")
    end.user_properties = list(told["properties"])
    yield end


def _report(
    told: ToldFinding, of: pytest.TestReport, when: Literal["setup", "call", "teardown"]
) -> pytest.TestReport:
    report = pytest.TestReport(
        nodeid=f"{of.nodeid}::{told['name']}",
        location=(of.location[0], None, told["title"]),
        keywords=of.keywords,
        outcome="passed",
        longrepr=None,
        when=when,
        start=of.stop,
        stop=of.stop,
    )
    # What xdist has marked the report of the check with.
    vars(report).update({name: value for name, value in vars(of).items() if name in {"node", "worker_id"}})
    return report


def _finding(result: CheckResult, finding: Finding, path: Path) -> ToldFinding:
    observed, limit = observed_and_limit(finding)
    measured = {
        "observed": observed,
        "limit": limit,
        "interval": interval(finding),
        "confidence": "" if finding.confidence is None else f"{finding.confidence:g}",
        "samples": str(finding.samples) if finding.samples else "",
        "evidence": str(path.with_suffix("") / finding.evidence) if finding.evidence else "",
        "waived": finding.waiver or "",
    }
    told = {name: one_line(value) for name, value in measured.items() if value}
    compared = [f"{name} {told[name]}" for name in _COMPARED if name in told]
    rest = [f"{name}: {told[name]}" for name in ("samples", "evidence", "waived") if name in told]
    command = "\n    | ".join(command_lines(finding.reproduce))
    text = _text([f"{finding.id}: {finding.message}"])
    return ToldFinding(
        name=one_line(finding.id.removeprefix(f"{result.id}."), _MOST_NAME) or "finding",
        title=one_line(finding.id, _MOST_NAME),
        phase=phase(finding.outcome, result.error.kind if result.error else None),
        text="\n".join(
            [
                text,
                *filter(None, [", ".join(compared)]),
                *rest,
                *([f"reproduce: {command}"] if command else []),
            ]
        ),
        properties=[
            ("outcome", finding.outcome.value),
            *told.items(),
            *([("reproduce", command)] if command else []),
        ],
    )


def _share(result: CheckResult) -> str:
    same = sum(finding.outcome is result.outcome for finding in result.findings)
    return f"{same} of {len(result.findings)} findings" if result.findings else ""


def _text(lines: Sequence[str]) -> str:
    return without_workflow_commands("\n".join(visible(cut(line, _MOST_TEXT)) for line in lines))
