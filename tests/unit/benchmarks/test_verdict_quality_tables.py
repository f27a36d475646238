import re

import pytest

from benchmarks.page import PAGE, VERDICTS
from benchmarks.verdict_quality.plan import PLAN as COMMITTED
from benchmarks.verdict_quality.plan import ROOT, declared_digest, load_plan
from benchmarks.verdict_quality.results import RESULTS, read
from benchmarks.verdict_quality.stock import rejects
from benchmarks.verdict_quality.table import NOTHING_YET, bounds, tables
from harness.config.suite import load_suite

PLAN = load_plan()
MACHINE = {"kind": "machine", "cores": 2, "cpu": "a CPU", "kernel": "6.1", "engine": "20.10"}


def gate(name, index, decision, *, load_s=10.0, p95=1.0, error=None):
    line = {"kind": "gate", "name": name, "index": index, "at": "2026-01-01T00:00:00+00:00", "commit": "abc"}
    if error:
        return {**line, "error": error}
    side = {"p50": 1.0, "p95": 2.0, "p99": 3.0}
    times = {"reference": side, "candidate": {**side, "p95": 2.0 * p95}}
    more = {"times_ms": times, "cpu_ms": {"reference": 0.5, "candidate": 0.54}}
    more["reasons"] = ["p95.ratio", "p99.ratio"] if index else ["p95.ratio"]
    return {**line, "decision": decision, "load_s": load_s, "pairs": 2000, **more}


def stock(name, index, p95):
    side = {"p50": 4.0, "p95": 10.0, "p99": 20.0}
    times = {"reference": side, "candidate": {**side, "p95": p95}}
    line = {"kind": "stock", "name": name, "index": index, "at": "2026-01-01T00:00:00+00:00", "commit": "abc"}
    return {**line, "times_ms": times, "failures": {"reference": 0, "candidate": 0}}


def row(text, heading, title):
    part = text.partition(heading)[2]
    return next(line for line in part.splitlines() if line.startswith(f"| {title} |"))


def test_every_run_counts_and_errors_are_listed():
    assert PLAN.scenario("aa").runs == 100
    lines = [MACHINE, *(gate("aa", index, "promote", load_s=index) for index in range(98))]
    lines += [gate("aa", 98, "inconclusive"), gate("aa", 99, "", error="the engine failed")]
    text = tables(PLAN, lines, "x.jsonl")
    cells = [cell.strip() for cell in row(text, "### Verdicts", "A/A").split("|")]
    assert cells[3:8] == ["100", bounds(98, 100), bounds(0, 100), bounds(1, 100), "1"]
    assert "reject 0 %: met; promote ≥ 95 %: met" in cells[10]
    assert "gate aa 99: the engine failed" in text.partition("### Errors")[2]


def test_an_aim_that_is_missed_says_so():
    runs = {name: PLAN.scenario(name).runs for name in ("aa", "stalls")}
    lines = [MACHINE, *(gate("aa", index, "reject") for index in range(runs["aa"]))]
    lines += [gate("stalls", index, "reject", load_s=11) for index in range(runs["stalls"])]
    text = tables(PLAN, lines, "x.jsonl")
    assert "reject 0 %: missed; promote ≥ 95 %: missed" in row(text, "### Verdicts", "A/A")
    stalls = row(text, "### Verdicts", "2 % of requests stalled by 20 ms")
    assert "reject ≥ 99 %, median under 10 s: missed" in stalls


def test_an_aim_is_neither_met_nor_missed_before_all_runs():
    runs = PLAN.scenario("aa").runs
    lines = [MACHINE, *(gate("aa", index, "promote") for index in range(runs - 1))]
    shown = row(tables(PLAN, lines, "x.jsonl"), "### Verdicts", "A/A")
    so_far = f"{runs - 1} of {runs} so far"
    assert f"reject 0 %: {so_far}; promote ≥ 95 %: {so_far}" in shown
    assert "met" not in shown
    assert "missed" not in shown


def test_the_reasons_are_counted():
    lines = [MACHINE, gate("aa", 0, "reject"), gate("aa", 1, "reject"), gate("aa", 2, "promote")]
    assert "- A/A, reject: p95.ratio 2, p99.ratio 1\n" in tables(PLAN, lines, "x.jsonl")


def test_bounds_are_those_of_clopper_and_pearson():
    assert bounds(0, 100) == "0 (0.0 % to 3.6 %)"
    assert bounds(50, 100) == "50 (39.8 % to 60.2 %)"


def test_the_effect_is_what_was_seen_over_all_runs():
    lines = [MACHINE, gate("p95_25_all", 0, "reject", p95=1.2), gate("p95_25_all", 1, "reject", p95=1.25)]
    shown = row(tables(PLAN, lines, "x"), "### What the client saw", "p95 +25 %, all requests slower")
    assert re.search(r"\| 1\.225 ± 0\.0\d\d \| 1\.000 ± 0\.000 \| 1\.080 ± 0\.000 \| 4000 \|$", shown)


@pytest.mark.parametrize(("p95", "rejected"), [(12.0, False), (12.1, True), (8.0, False)])
def test_the_stock_gate_rejects_above_its_threshold(p95, rejected):
    assert rejects(stock("aa", 0, p95), {"p95": 0.20, "p99": 0.50}) is rejected


def test_the_stock_gate_stands_in_the_table_with_both_thresholds():
    lines = [MACHINE, *(stock("aa", index, p95) for index, p95 in enumerate((10.0, 11.5, 13.0)))]
    shown = row(tables(PLAN, lines, "x"), "stock Locust gate", "A/A")
    assert f"| 3 | {bounds(1, 3)} | 10 %, 50 %: {bounds(2, 3)} |" in shown


def test_errors_of_measured_quantiles_are_held_to_the_tolerance():
    name = PLAN.accuracy.delays[0].name
    runs = [
        {
            "kind": "accuracy",
            "name": name,
            "index": index,
            "at": "now",
            "commit": "abc",
            "true_ms": {"p50": 2.0, "p95": 4.0, "p99": 40.0},
            "server_ms": {"p50": 2.0, "p95": 4.6, "p99": 40.5},
            "measured_ms": {"p50": 2.2, "p95": p95, "p99": 40.7},
        }
        for index, p95 in enumerate((4.1, 4.4))
    ]
    text = tables(PLAN, [MACHINE, *runs], "x").partition("### Measured")[2]
    assert f"| {name} | 2 | p95 | 4.000 ms | 4.600 ms | 4.250 ms | 0.400 ms | 1 of 2 |" in text
    assert f"| {name} | 2 | p99 | 40.000 ms | 40.500 ms | 40.700 ms | 0.700 ms | 2 of 2 |" in text


def test_the_tables_take_the_place_of_the_old_ones():
    page = f"before\n{VERDICTS.begin}old\n{VERDICTS.end}after\n"
    assert VERDICTS.of(VERDICTS.put(page, "new\n")) == "new\n"
    assert VERDICTS.put(page, "new\n") == page.replace("old", "new")
    with pytest.raises(ValueError, match="no place"):
        VERDICTS.put("before", "new")


def test_the_page_shows_the_results_that_it_names_or_says_that_there_are_none():
    shown = VERDICTS.of(PAGE.read_text(encoding="utf-8"))
    named = re.findall(r"results/(\w+)\.jsonl", shown)
    if not named:
        assert shown == NOTHING_YET
        return
    (digest,) = named
    lines = read(RESULTS / f"{digest}.jsonl")
    assert {line["plan"][: len(digest)] for line in lines} == {digest}
    machine = next(line for line in lines if line["kind"] == "machine")
    settings = load_suite(ROOT / "gate.toml").config.latency
    # What was changed after the runs, and the page says so.
    then = settings.model_copy(
        update={
            "burst": settings.burst.model_copy(update={"budget_s": 10.0}),
            "slo": settings.slo.model_copy(update={"budget_s": 20.0}),
        }
    )
    assert machine["declared"] == declared_digest(COMMITTED.read_text("utf-8"), then.model_dump_json())
    assert shown == tables(PLAN, lines, f"{digest}.jsonl")


def test_a_plan_without_results_has_no_tables():
    assert tables(PLAN, [], "") == NOTHING_YET
