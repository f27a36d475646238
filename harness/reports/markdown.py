"""Markdown for a GitHub job summary: the verdict first, then why, then the checks."""

import re
from collections.abc import Iterable
from typing import ClassVar

from harness.model import CheckResult, Decision, Finding, Outcome, Report
from harness.reports.causes import Cause, causes
from harness.reports.quantiles import observed_quantiles
from harness.reports.summary import (
    caveats,
    families,
    headline,
    loosened,
    needs_attention,
    side_by_side,
    stands_on,
    why,
)
from harness.reports.text import cut, observed_and_limit, seconds, single_line, visible, words

MOST_BYTES = 1024 * 1024
"""A job summary step holds 1 MiB."""

_RESERVED_BYTES = 512
_MOST_TEXT = 2_000
_MOST_COMMAND = 16_000
_MOST_REASONS = 50
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./:@%+=,_∞-]{0,300}")
_SPECIAL = re.compile(r"[\\`*_\[\]|~$!<>&@#]|:(?=//|[\w+-]+:)|www\.")
_ENTITIES = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    "|": "&#124;",
    # A zero-width space of ours: an escape alone does not stop GitHub from linking these.
    "@": "@&#8203;",
    "#": "#&#8203;",
    "www.": "www&#8203;.",
}
_VERDICT = {
    Decision.PROMOTE: "✅ PROMOTE",
    Decision.REJECT: "❌ REJECT",
    Decision.INCONCLUSIVE: "⚠️ INCONCLUSIVE",
}


class MarkdownRenderer:
    """GitHub-flavoured Markdown, cut with a notice where a job summary would refuse it."""

    suffix: ClassVar[str] = ".md"

    def render(self, report: Report) -> str:
        """At most 1 MiB of UTF-8; whole blocks are left out, never half of one."""
        left = MOST_BYTES - _RESERVED_BYTES
        kept = []
        blocks = list(_blocks(report))
        for block in blocks:
            left -= len(block.encode()) + 2
            if left < 0:
                break
            kept.append(block)
        if len(kept) < len(blocks):
            kept.append(
                f"*Cut here: {len(blocks) - len(kept)} more parts are in the JSON and HTML reports "
                f"of the same run.*"
            )
        return "\n\n".join(kept) + "\n"


def _blocks(report: Report) -> Iterable[str]:
    yield f"# {_VERDICT[report.decision]}: {prose(headline(report))}"
    told = causes(report)
    entries = [_cause(number, cause) for number, cause in enumerate((*told.deciding, *told.besides), 1)]
    yield from entries[: min(len(told.deciding), _MOST_REASONS)]
    if told.besides and len(told.deciding) < _MOST_REASONS:
        yield "Undecided besides:"
        yield from entries[len(told.deciding) : _MOST_REASONS]
    if len(report.reasons) > _MOST_REASONS:
        yield f"And {len(report.reasons) - _MOST_REASONS} more reasons."
    yield from (f"> {prose(line)}" for line in caveats(report))
    if loosened(report):
        yield _loosened(report)
    yield prose(stands_on(report))
    yield _identity(report)
    yield "\n".join(
        [
            "| check | outcome | cases | time |",
            "|:--|:--|--:|--:|",
            *(_check_row(check) for result in families(report) for check in result.checks),
        ]
    )
    quantiles = observed_quantiles(report)
    if quantiles:
        yield "\n".join(f"- {code(check_id)} {prose(line)}" for check_id, line in quantiles)
    findings = [
        (check, finding) for check in report.checks for finding in check.findings if needs_attention(finding)
    ]
    if findings:
        yield "## Findings"
        yield from (_finding(check, finding) for check, finding in findings)
    if report.not_declared:
        yield "## Not declared, so not checked"
        yield "\n".join(f"- {prose(thing)}" for thing in report.not_declared)
    if report.environment.gpu:
        driver = report.environment.driver
        yield f"On {code(report.environment.gpu)}" + (f", driver {code(driver)}" if driver else "")
    yield (
        f"Run {code(report.run_id)}, seed {report.seed}, {seconds(report.duration_s)}, "
        f"policy {code(report.policy.path)} sha256 {code(report.policy.sha256)}"
    )


def _cause(number: int, cause: Cause) -> str:
    compared = _compared(cause.finding) if cause.finding else ""
    name = cause.reason.finding_id or cause.reason.check_id
    prefix = f"**{words(cause.outcome)}** {code(name) + ' ' if name else ''}"
    return f"{number}. {prefix}{prose(cause.reason.message)}{compared and f' ({compared})'}"


def _loosened(report: Report) -> str:
    rows = (
        f"| {code(key)} | {way} | {code(then)} | {code(now)} |" for key, way, then, now in loosened(report)
    )
    return "\n".join(["| policy | | when promoted | now |", "|:--|:--|:--|:--|", *rows])


def _identity(report: Report) -> str:
    rows = (
        f"| {label} | {code(candidate) if candidate else ''} | {code(reference) if reference else ''} |"
        for label, candidate, reference in side_by_side(report)
    )
    return "\n".join(["| | candidate | reference |", "|:--|:--|:--|", *rows])


def _check_row(check: CheckResult) -> str:
    required = "" if check.required else " (optional)"
    reason = "" if check.outcome is Outcome.PASS else why(check)
    outcome = f"**{words(check.outcome)}**{reason and f': {prose(reason)}'}"
    return (
        f"| {code(check.id)}{required} | {outcome} "
        f"| {check.executed} / {check.expected} | {seconds(check.duration_s)} |"
    )


def _finding(check: CheckResult, finding: Finding) -> str:
    lines = [f"### {code(finding.id or check.id)}: {finding.outcome.value}", prose(finding.message)]
    compared = _compared(finding)
    facts = [
        *([compared] if compared else []),
        *([f"{finding.samples} samples"] if finding.samples else []),
        *([f"confidence {finding.confidence:g}"] if finding.confidence is not None else []),
        *([f"evidence {code(finding.evidence)}"] if finding.evidence else []),
        *([f"waived: {prose(finding.waiver)}"] if finding.waiver else []),
    ]
    if facts:
        lines.append(", ".join(facts))
    if finding.reproduce:
        lines.append(_fenced(finding.reproduce))
    return "\n\n".join(lines)


def _compared(finding: Finding) -> str:
    observed, limit = observed_and_limit(finding)
    parts = {"observed": observed, "limit": limit}
    return ", ".join(f"{label} {code(text)}" for label, text in parts.items() if text)


def prose(text: str) -> str:
    """Untrusted text as running text, also in a table: no markup, link, HTML or mention comes of it."""
    line = single_line(cut(text, _MOST_TEXT))
    return _SPECIAL.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), line)


def code(text: str) -> str:
    """Untrusted text as code, also in a table."""
    return f"`{text}`" if _PLAIN.fullmatch(text) else f"<code>{prose(text)}</code>"


def _fenced(text: str) -> str:
    block = visible(cut(text, _MOST_COMMAND))
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", block))])
    return f"{fence}sh\n{block}\n{fence}"
