"""Workflow commands for GitHub Actions: the verdict and what lies behind it, as annotations of the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from harness.model import WORST_FIRST, CheckResult, Decision, Finding, Outcome, Reason, Report
from harness.reports.causes import finding_of
from harness.reports.summary import headline, needs_attention, why
from harness.reports.text import (
    cut,
    observed_and_limit,
    single_line,
    visible,
    without_workflow_commands,
)

MOST_ANNOTATIONS = 10
"""GitHub keeps no more errors of one step, and no more warnings."""

_MOST_TITLE = 160
_MOST_MESSAGE = 1_000
_MOST_COMMAND = 2_000
_QUIET = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.SKIP})

# As GitHub's runner reads them back: https://github.com/actions/runner, src/Runner.Common/ActionCommand.cs
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


@dataclass(frozen=True)
class _Annotation:
    """One of them before it is escaped; ``title`` and ``lines`` may hold a candidate's words."""

    level: Literal["error", "warning", "notice"]
    outcome: Outcome
    title: str
    lines: tuple[str, ...]

    def command(self) -> str:
        # Harmless also where a line is printed again with something before it, as logs are.
        title = without_workflow_commands(single_line(cut(self.title, _MOST_TITLE)))
        message = without_workflow_commands("\n".join(self.lines))
        return f"::{self.level} title={title.translate(_PROPERTY)}::{message.translate(_DATA)}"


class GithubRenderer:
    """One workflow command a line: the verdict, then at most nine findings, the worst first.

    What forbids a promote is an error, what else a reader should know a warning. A finding's text is cut,
    its unprintable characters are shown as escapes, and it is escaped by GitHub's rules: whatever it says,
    each line is one of these commands and no other.
    """

    def render(self, report: Report) -> str:
        """At most :data:`MOST_ANNOTATIONS` lines."""
        behind = sorted(_behind(report), key=lambda one: (one.level, WORST_FIRST.index(one.outcome)))
        shown = behind[: MOST_ANNOTATIONS - 1]
        more = f"; {len(behind) - len(shown)} more in the report" if len(behind) > len(shown) else ""
        verdict = _Annotation(
            level="notice" if report.decision is Decision.PROMOTE else "error",
            outcome=Outcome.PASS,
            title=report.decision.value,
            lines=(_line(headline(report)) + more,),
        )
        return "".join(f"{one.command()}\n" for one in (verdict, *shown))


def _behind(report: Report) -> Iterator[_Annotation]:
    """What the verdict rests on, then what it does not rest on; in the report's order."""
    checks = {check.id: check for check in report.checks}
    told = {(reason.check_id, reason.finding_id) for reason in report.reasons}
    for reason in report.reasons:
        if reason.check_id:
            yield _of_reason(reason, checks.get(reason.check_id), finding_of(report, reason))
    for check in report.checks:
        notable = [finding for finding in check.findings if needs_attention(finding)]
        for finding in notable:
            if (check.id, finding.id) not in told:
                waived = (f"waived: {_line(finding.waiver)}",) if finding.waiver else ()
                lines = (_line(finding.message), *_facts(finding), *waived)
                yield _Annotation("warning", finding.outcome, finding.id, lines)
        if not notable and check.outcome not in _QUIET and (check.id, "") not in told:
            lines = (_line(why(check) or check.outcome.value),)
            yield _Annotation("warning", check.outcome, check.id, lines)


def _of_reason(reason: Reason, check: CheckResult | None, finding: Finding | None) -> _Annotation:
    # A check that the plan expected and that has no result stands with those that could not judge.
    outcome = finding.outcome if finding else check.outcome if check else Outcome.ERROR
    lines = (_line(reason.message), *(_facts(finding) if finding else ()))
    return _Annotation("error", outcome, reason.finding_id or reason.check_id, lines)


def _facts(finding: Finding) -> Iterator[str]:
    observed, limit = observed_and_limit(finding)
    parts = [f"{name} {_line(text)}" for name, text in (("observed", observed), ("limit", limit)) if text]
    if parts:
        yield ", ".join(parts)
    # Half a command reproduces nothing: it is whole, or in the report only.
    if finding.reproduce and len(finding.reproduce) <= _MOST_COMMAND:
        yield visible(finding.reproduce)


def _line(text: str) -> str:
    return single_line(cut(text, _MOST_MESSAGE))
