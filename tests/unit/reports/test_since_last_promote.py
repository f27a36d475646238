"""Limits that were loosened since the last promote, as each format shows them."""

import io

import pytest
from report_samples import looser, promote
from rich.console import Console

from harness.reports.console import print_verdict
from harness.reports.summary import caveats
from harness.reports.table import RENDERERS

SINCE = "run 20261101T101500Z-86c1e0b2f3a4-1b2c3d, which promoted registry.test/breast-cancer:2.3.1"


def printed(of):
    out = io.StringIO()
    print_verdict(Console(file=out, width=200), of)
    return out.getvalue()


def shown(of):
    return {"console": printed(of), **{name: RENDERERS[name].render(of) for name in ("html", "markdown")}}


def test_the_verdict_and_its_first_line_stay_as_they_are():
    assert printed(looser()).splitlines()[0] == printed(promote()).splitlines()[0]


def test_the_caveat_counts_them_and_names_the_release():
    assert caveats(looser())[-1] == f"Of what the policy demands, 2 loosened and 1 changed since {SINCE}."


@pytest.mark.parametrize("name", ["console", "html", "markdown"])
def test_old_and_new_values_are_shown(name):
    text = shown(looser())[name]
    for part in ("latency.limits.p99.margin", "0.5", "0.75", "policy.required", "drift", "none"):
        assert part in text
    assert "latency.limits.p99.margin" not in shown(promote())[name]


def test_console_and_markdown_put_them_in_a_line_each():
    assert "  latency.limits.p99.margin: 0.5 → 0.75 (loosened)\n" in printed(looser())
    assert "| `policy.required` | loosened | `drift` | `none` |" in shown(looser())["markdown"]


def test_nothing_is_said_where_nothing_was_loosened():
    since = looser().since_last_promote.model_copy(update={"changes": ()})
    same = looser().model_copy(update={"since_last_promote": since})
    assert caveats(same) == caveats(promote())


def test_a_policy_that_could_not_be_compared_is_said():
    since = looser().since_last_promote.model_copy(update={"changes": (), "problem": "it is cut off"})
    (line,) = caveats(looser().model_copy(update={"since_last_promote": since}))[-1:]
    assert line == f"Limits were not compared with those of {SINCE}: it is cut off."


@pytest.mark.parametrize("name", ["console", "html", "markdown"])
def test_that_there_was_nothing_to_compare_with_is_one_calm_line(name):
    why = "no earlier promote of breast-cancer on cpu lies beside the report"
    report = promote().model_copy(update={"limits_not_compared": why})
    line = f"Limits were not compared with those of a release: {why}."
    assert caveats(report) == (*caveats(promote()), line)
    assert shown(report)[name].replace("\\", "").count(line) == 1
