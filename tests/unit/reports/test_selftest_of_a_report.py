"""The selftest that a run's gate stands on, as each format shows it; it has no part in the verdict."""

import io

import pytest
from report_samples import promote, selftested
from rich.console import Console

from harness.model import BoundedShare
from harness.reports.console import print_verdict
from harness.reports.summary import stands_on
from harness.reports.table import RENDERERS

FIGURES = (
    "Killed for the right reason: 71 of 72 faults met, at least 93.6% with 95% confidence. "
    "Rejected: 0 of 24 benign changes decided, at most 11.7% with 95% confidence."
)
NONE = "This gate stands on no selftest: none is in the folder of reports."
NOTHING = BoundedShare(hits=0, samples=0, seen=None, bound=0.0, confidence=0.95)


def printed(of):
    out = io.StringIO()
    print_verdict(Console(file=out, width=400), of)
    return out.getvalue()


def shown(of):
    return {"console": printed(of), **{name: RENDERERS[name].render(of) for name in ("html", "markdown")}}


def test_the_figures_are_of_what_was_met_and_decided():
    assert stands_on(selftested()) == (
        "The gate's selftest (quick) of 2026-11-20T03:12:44+00:00, selftest/0123456789abcdef/quick.json. "
        + FIGURES
    )


def test_what_came_to_nothing_is_said():
    open_ = {"undecided": 1, "inactive": 2, "error": 3, "untried": 4}
    assert stands_on(selftested(**open_)).endswith(
        f"{FIGURES} Of all 96: 1 undecided, 2 not shown to be active, 3 ended in an error, 4 not tried."
    )


def test_where_every_trial_ended_in_an_error_no_figure_looks_good():
    of = selftested(detection=NOTHING, false_rejects=NOTHING, error=96)
    assert stands_on(of).endswith(
        "Killed for the right reason: 0 of 0 faults met. Rejected: 0 of 0 benign changes decided. "
        "Of all 96: 96 ended in an error."
    )


def test_kills_by_more_than_the_suite_are_told_apart():
    told = stands_on(selftested(killed_extended=3))
    assert "with 95% confidence, 3 of them by what their entries add to the suite. Rejected" in told


def test_faults_of_the_proxy_are_named_as_such():
    assert stands_on(selftested(proxied=True)).startswith("The gate's selftest by the proxy (quick) of ")


def test_a_stale_one_says_why():
    stale = stands_on(selftested(stale="it is of another suite, digits"))
    assert stale.endswith("It says little of this run: it is of another suite, digits.")


@pytest.mark.parametrize("name", ["console", "html", "markdown"])
def test_every_format_shows_it(name):
    assert FIGURES in shown(selftested())[name]
    assert NONE not in shown(selftested())[name]


@pytest.mark.parametrize("name", ["console", "html", "markdown"])
def test_every_format_says_in_a_line_that_there_is_none(name):
    (line,) = (line for line in shown(promote())[name].splitlines() if "selftest" in line)
    assert NONE in line


def test_the_verdict_stays_as_it_is():
    assert printed(selftested()).splitlines()[0] == printed(promote()).splitlines()[0]
