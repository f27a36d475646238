import io

from hypothesis import given
from hypothesis import strategies as st
from report_samples import HOSTILE, LATENCY, hostile, passed, promote, report
from rich.console import Console

from harness.model import Family, Finding, Outcome
from harness.reports.console import print_verdict
from harness.reports.quantiles import observed_quantiles
from harness.reports.table import RENDERERS

MS, RATIO = "ms", "times the reference"


def finding(name, observed, limit=None, unit=MS, check="latency.paired"):
    return Finding(
        id=f"{check}.{name}", outcome=Outcome.PASS, message="m", observed=observed, limit=limit, unit=unit
    )


def of(*findings, check="latency.paired"):
    return report(checks=(passed(check, Family.LATENCY, 12, 1.0, *findings),))


JUDGED = (
    finding("error_rate", 0.0, 0.01, "share of requests"),
    finding("p50.slo", 1.12637, 25.0),
    finding("p50.ratio", 1.0128, 1.1, RATIO),
    finding("p99.9", 12345.6),
    finding("p99.9.ratio", 1.1, 1.5, RATIO),
    finding("cpu.ratio", 1.0, 1.1, RATIO),
)
LINE = (
    "p50 1.126 ms (limit 25), 1.013 times the reference (limit 1.1); "
    "p99.9 12350 ms, 1.1 times the reference (limit 1.5)"
)


def printed(of):
    out = io.StringIO()
    print_verdict(Console(file=out, width=80), of)
    return out.getvalue()


def test_each_quantile_comes_once_with_what_it_was_held_against():
    assert observed_quantiles(of(*JUDGED)) == (("latency.paired", LINE),)


def test_what_is_not_of_a_quantile_or_not_observed_is_left_out():
    others = (
        finding("manifest.p99", 4.0, 10.0),
        finding("p95.trend", 0.1, 0.5, "share"),
        finding("p95x", 1.0),
        finding("p95", None),
        finding("p95.ratio", "fast"),
        finding("p50.slo", 1.0, check="latency.slo"),
    )
    assert observed_quantiles(of(*others)) == ()


def test_any_check_that_judges_quantiles_has_a_line():
    (line,) = observed_quantiles(of(finding("p95", 3.0, 4.0, check="serving.tokens"), check="serving.tokens"))
    assert line == ("serving.tokens", "p95 3 ms (limit 4)")


def test_a_promote_shows_its_latency_on_a_terminal_and_in_markdown():
    assert LATENCY in promote().checks
    assert "\nlatency.paired: p99 21.44 ms (limit 50)\n" in printed(promote())
    assert "\n- `latency.paired` p99 21.44 ms (limit 50)\n" in RENDERERS["markdown"].render(promote())


def test_without_quantiles_there_is_no_line():
    assert observed_quantiles(of(finding("error_rate", 0.0, 0.01))) == ()
    assert "\n- " not in RENDERERS["markdown"].render(of(finding("error_rate", 0.0, 0.01)))


def test_hostile_words_are_inert():
    told = of(finding("p99", 1.0, 2.0, HOSTILE, check=HOSTILE), check=HOSTILE)
    assert len(observed_quantiles(told)) == 1
    terminal = printed(told)
    assert all(char.isprintable() or char == "\n" for char in terminal)
    assert "::error::" not in terminal
    (item,) = (line for line in RENDERERS["markdown"].render(told).splitlines() if line.startswith("- "))
    assert "<script" not in item
    assert "@everyone" not in item
    assert observed_quantiles(hostile()) == ()


@given(st.floats() | st.integers(), st.none() | st.floats() | st.integers())
def test_any_number_is_told(observed, limit):
    ((_, line),) = observed_quantiles(of(finding("p50", observed, limit)))
    assert line.startswith("p50 ")
    assert line.isprintable()
    assert ("(limit " in line) == (limit is not None)
