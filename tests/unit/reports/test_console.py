import io
from pathlib import Path

import pytest
from report_samples import HOSTILE, hostile, inconclusive, promote, reject, report
from rich.console import Console

from harness.model import Decision, Reason
from harness.reports.console import print_verdict


def printed(of, *, colour=False, width=80, saved=None):
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
    )
    print_verdict(console, of, saved)
    return out.getvalue()


@pytest.mark.parametrize(
    ("sample", "first"),
    [
        (promote, "PROMOTE  all 7 required checks passed"),
        (reject, "REJECT  2 of 7 required checks failed: golden.single, scenarios.auth"),
        (inconclusive, "INCONCLUSIVE  1 of 8 required checks without a judgement: fuzz.operations"),
    ],
)
def test_the_first_line_is_the_verdict(sample, first):
    assert printed(sample()).splitlines()[0] == first


def test_reasons_come_with_numbers_and_a_command_on_one_line():
    lines = [line.strip() for line in printed(reject()).splitlines()]
    at = lines.index("fail  golden.single.probabilities")
    assert lines[at + 1].startswith("17 of 569 rows differ")
    assert lines[at + 2] == "observed 0.03125, limit 1e-05"
    assert lines[at + 3] == f"$ {reject().checks[1].findings[1].reproduce}"


def test_a_command_too_long_for_a_terminal_is_left_in_the_report():
    check = reject().checks[1]
    finding = check.findings[1].model_copy(update={"reproduce": "harness run\ncurl " + "x" * 3000})
    changed = check.model_copy(update={"findings": (check.findings[0], finding, *check.findings[2:])})
    checks = (reject().checks[0], changed, *reject().checks[2:])
    lines = [line.strip() for line in printed(reject().model_copy(update={"checks": checks})).splitlines()]
    assert "$ harness run" in lines
    assert "| # a command of 3005 characters, whole in the report" in lines


def test_the_table_names_every_check_in_full_on_a_narrow_terminal():
    text = printed(inconclusive(), width=72)
    for check in inconclusive().checks:
        assert check.id in text
    assert "0/500" in text
    assert "image.labels: the candidate runs as a process" in text


def test_it_ends_with_where_the_report_is():
    lines = printed(promote(), saved=Path("reports/run.json")).splitlines()
    assert lines[-2:] == ["Report  reports/run.html", "        reports/run.json"]


def test_colour_is_used_only_where_allowed():
    assert "\x1b[1;32mPROMOTE" in printed(promote(), colour=True)
    assert "\x1b[1;31mREJECT" in printed(reject(), colour=True)
    assert "\x1b" not in printed(reject())


def test_hostile_text_is_inert():
    text = printed(hostile())
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "::error::" not in text
    assert "##[error]" not in text
    assert "[bold red]rich[/]" in text
    assert "\\x1b[31mred" in text
    assert not [line for line in text.splitlines() if line.startswith("::")]


def test_long_text_and_many_reasons_are_cut():
    reasons = tuple(Reason(check_id="c", finding_id=f"c.{n}", message="x" * 10_000) for n in range(50))
    text = printed(report(Decision.REJECT, reasons=reasons))
    assert "and 30 more reasons in the report" in text
    assert max(len(line) for line in text.splitlines()) < 800


def test_hostile_lines_of_a_command_stay_indented():
    lines = printed(hostile()).splitlines()
    first = lines.index(next(line for line in lines if line.startswith("    $ ")))
    assert lines[first + 1].startswith("    | ")
    assert HOSTILE.count("\n") == 2
