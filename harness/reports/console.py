"""The end of a run on a terminal: the verdict in one line, why, the checks, and where the report is."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from harness.model import Decision, Outcome, Report
from harness.reports.causes import Cause, causes
from harness.reports.quantiles import observed_quantiles
from harness.reports.summary import caveats, families, headline, loosened, stands_on, why
from harness.reports.text import command_lines, observed_and_limit, one_line, seconds, words

_COLOUR = {Decision.PROMOTE: "green", Decision.REJECT: "red", Decision.INCONCLUSIVE: "yellow"}
OUTCOME_STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "bold red",
    Outcome.ERROR: "bold red",
    Outcome.WARN: "yellow",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.SKIP: "dim",
    Outcome.NOT_APPLICABLE: "dim",
}
_MOST_REASONS = 20


def print_verdict(console: Console, report: Report, saved: Path | None = None) -> None:
    """Print :func:`verdict_lines`; long lines are left to the terminal, so that commands can be copied."""
    for line in verdict_lines(report, saved):
        console.print(line, soft_wrap=True)


def verdict_lines(report: Report, saved: Path | None = None) -> Sequence[RenderableType]:
    """What a person reads at the end of a run.

    All text is :class:`rich.text.Text`, so that no markup in it is obeyed; control characters are
    shown as escapes and workflow commands broken.

    Args:
        report: The finished run.
        saved: The JSON's path, when it was written.
    """
    verdict = Text.assemble(
        (report.decision.value.upper(), f"bold {_COLOUR[report.decision]}"), f"  {one_line(headline(report))}"
    )
    lines: list[RenderableType] = [verdict]
    told = causes(report)
    for cause in told.deciding[:_MOST_REASONS]:
        lines += [Text(), *_cause(cause)]
    besides = told.besides[: max(_MOST_REASONS - len(told.deciding), 0)]
    if besides:
        lines += [Text(), Text("  Undecided besides:")]
    for cause in besides:
        lines += [Text(), *_cause(cause)]
    if len(report.reasons) > _MOST_REASONS:
        lines.append(Text(f"  and {len(report.reasons) - _MOST_REASONS} more reasons in the report"))
    lines += [Text(), _checks(report), Text()]
    lines += [Text(one_line(f"{check_id}: {line}")) for check_id, line in observed_quantiles(report)]
    explained = [check for check in report.checks if check.outcome is not Outcome.PASS and why(check)]
    lines += [Text(f"{one_line(check.id)}: {one_line(why(check))}", style="dim") for check in explained]
    lines += [Text(one_line(caveat), style="dim") for caveat in caveats(report)]
    lines += [
        Text(one_line(f"  {key}: {then} → {now} ({way})"), style="yellow")
        for key, way, then, now in loosened(report)[:_MOST_REASONS]
    ]
    lines.append(Text(one_line(stands_on(report)), style="dim"))
    if saved is not None:
        lines.append(Text(f"Report  {one_line(str(saved.with_suffix('.html')))}"))
        lines.append(Text(f"        {one_line(str(saved))}"))
    return lines


def _cause(cause: Cause) -> Iterable[Text]:
    reason, finding = cause.reason, cause.finding
    outcome = (words(cause.outcome), OUTCOME_STYLES[cause.outcome])
    name = one_line(reason.finding_id or reason.check_id)
    yield Text.assemble("  ", outcome, (f"  {name}" if name else "", "bold"))
    yield Text(f"    {one_line(reason.message)}")
    if finding is None:
        return
    observed, limit = observed_and_limit(finding)
    parts = [f"{name} {one_line(text)}" for name, text in (("observed", observed), ("limit", limit)) if text]
    if parts:
        yield Text(f"    {', '.join(parts)}")
    if finding.reproduce:
        command = "\n    | ".join(command_lines(finding.reproduce))  # none can pass for a line of ours
        yield Text(f"    $ {command}", style="cyan")


def _checks(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("check")
    table.add_column("outcome")
    table.add_column("cases", justify="right")
    table.add_column("time", justify="right")
    for result in families(report):
        for check in result.checks:
            table.add_row(
                Text(one_line(check.id)),
                Text(words(check.outcome), style=OUTCOME_STYLES[check.outcome]),
                Text(f"{check.executed}/{check.expected}"),
                Text(seconds(check.duration_s)),
            )
    return table
