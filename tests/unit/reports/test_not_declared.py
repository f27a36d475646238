import io

import pytest
from report_samples import HOSTILE, hostile, promote, report
from rich.console import Console

from harness.reports.console import print_verdict
from harness.reports.summary import caveats
from harness.reports.table import RENDERERS

MANY = tuple(f"latency.paired: aspect {number} (limits.classes.{number})" for number in range(25))
COUNTED = "25 things are not declared by the suite, so not checked; the report lists them."


def printed(of):
    out = io.StringIO()
    print_verdict(Console(file=out, width=80), of)
    return out.getvalue()


def test_a_terminal_counts_them_and_cuts_nothing():
    text = printed(report(not_declared=MANY))
    assert COUNTED in text
    assert "aspect" not in text
    assert "more characters" not in text


def test_one_is_counted_as_one_and_none_is_not_mentioned():
    one = "1 thing is not declared by the suite, so not checked; the report lists them."
    assert one in caveats(report(not_declared=("auth",)))
    assert not [line for line in caveats(promote()) if "not declared" in line]


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_a_report_counts_them_on_top_and_lists_each_at_its_end(name):
    text = RENDERERS[name].render(report(not_declared=MANY))
    last_check = text.rindex("latency.paired.ratio" if name == "html" else "| `latency.paired`")
    assert text.index(COUNTED) < last_check
    places = [text.index(f"aspect {number} ", last_check) for number in range(25)]
    assert places == sorted(places)
    assert text.count("aspect 7 ") == 1
    assert "so not checked" not in RENDERERS[name].render(promote())


def test_what_is_listed_is_inert():
    assert HOSTILE in hostile().not_declared
    item = next(
        line for line in RENDERERS["markdown"].render(hostile()).splitlines() if line.startswith("- ")
    )
    assert "<" not in item
    assert "@everyone" not in item
    assert item.count("\\n") >= HOSTILE.count("\n")
