import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.verdict_quality import calibration
from benchmarks.verdict_quality.accuracy import quantile_ms
from benchmarks.verdict_quality.delay_server import delays_s
from benchmarks.verdict_quality.plan import Form, Kind, Slowed, Task, declared_digest, load_plan, plan_digest
from benchmarks.verdict_quality.results import append, left, read
from benchmarks.verdict_quality.services import suite_of
from benchmarks.verdict_quality.time_left import clock, seconds_for
from harness.errors import ConfigError

PLAN = load_plan()
SLOWED = Slowed(form=Form.ALL, effect=0.25, amount=0.6)


def done(task, **more):
    return {**task.model_dump(mode="json"), **more}


def test_every_run_is_planned_once_and_the_order_is_that_of_the_seed():
    tasks = PLAN.tasks()
    assert len(set(tasks)) == len(tasks)
    assert tasks == load_plan().tasks()
    counts = Counter((task.kind, task.name) for task in tasks)
    for scenario in PLAN.scenarios:
        assert counts[Kind.GATE, scenario.name] == scenario.runs
    assert len({PLAN.seed_of(task) for task in tasks}) == len(tasks)


def test_the_scenarios_are_mixed():
    middle = {task.name for task in PLAN.tasks()[: len(PLAN.tasks()) // 4]}
    assert {scenario.name for scenario in PLAN.scenarios} <= middle


def test_another_plan_or_another_suite_has_another_digest():
    assert declared_digest("a", "b") != declared_digest("a", "c") != declared_digest("d", "c")
    assert plan_digest("a") != plan_digest("b")


@pytest.mark.parametrize("folder", ["harness/stats", "harness/load", "harness/checks/latency"])
def test_other_code_that_decides_has_another_digest(tmp_path, folder):
    changed = tmp_path / folder / "judge.py"
    changed.parent.mkdir(parents=True)
    digests = set()
    for text in ("LIMIT = 1", "LIMIT = 2"):
        changed.write_text(text)
        digests.add(plan_digest("a", tmp_path))
    assert len(digests) == 2
    (tmp_path / "harness" / "cli.py").write_text("")
    assert plan_digest("a", tmp_path) in digests


@pytest.mark.parametrize("scenario", PLAN.scenarios, ids=lambda scenario: scenario.name)
def test_each_scenario_changes_the_suite_only_where_it_says(scenario):
    shipped, changed = suite_of(PLAN.scenario("aa")).config.latency, suite_of(scenario).config.latency
    assert changed.budget_s == scenario.budget_s
    limits = shipped.limits.model_dump()
    for name, limit in scenario.limits.items():
        limits[name] |= limit
    assert changed.limits.model_dump() == limits


def test_a_limit_that_there_is_not_is_told():
    with pytest.raises(ConfigError, match="p96"):
        suite_of(PLAN.scenario("aa").model_copy(update={"limits": {"p96": {"margin": 0.1}}}))


def test_what_is_done_is_not_done_again(tmp_path):
    path = tmp_path / "results" / "plan.jsonl"
    tasks = PLAN.tasks()
    append(path, {"kind": "machine"})
    for task in tasks[:3]:
        append(path, done(task))
    assert left(tasks, read(path), only=None, most=None) == list(tasks[3:])
    assert all(task.name == "aa" and task.index < 2 for task in left(tasks, [], only="aa", most=2))


def test_a_line_that_an_interruption_cut_is_run_again(tmp_path):
    path = tmp_path / "plan.jsonl"
    first, second, third = PLAN.tasks()[:3]
    append(path, done(first))
    with path.open("a") as file:
        file.write('{"kind": "gate", "na')
    assert left((first, second), read(path), only=None, most=None) == [second]
    append(path, done(third))
    assert [line["name"] for line in read(path)] == [first.name, third.name]


def test_an_error_counts_as_a_run():
    task = PLAN.tasks()[0]
    assert left([task], [done(task, error="it broke")], only=None, most=None) == []


def test_the_amount_follows_what_was_seen():
    lines = [
        {"kind": "calibration", "name": SLOWED.key, "index": 0, "amount": 0.6, "seen": 0.15},
        {"kind": "calibration", "name": SLOWED.key, "index": 1, "error": "it broke"},
    ]
    assert calibration.amount(SLOWED, []) == SLOWED.amount
    assert calibration.amount(SLOWED, lines) == pytest.approx(1.0)


@given(st.floats(-1, 5))
def test_no_measurement_makes_an_amount_absurd(seen):
    line = {"kind": "calibration", "name": SLOWED.key, "index": 0, "amount": 0.6, "seen": seen}
    assert 0 < calibration.amount(SLOWED, [line]) <= 4 * 0.6 + 1e-9


def test_the_time_left_learns_from_the_runs():
    task = Task(kind=Kind.GATE, name="aa", index=9)
    assert seconds_for([task, SLOWED], PLAN, [])[0] > PLAN.scenario("aa").budget_s
    lines = [done(Task(kind=Kind.GATE, name="aa", index=i), took_s=taken) for i, taken in enumerate((10, 20))]
    assert seconds_for([task], PLAN, lines) == [15]
    assert (clock(3 * 3600 + 61), clock(59)) == ("3 h 01 min", "1 min")


@pytest.mark.parametrize("delays", PLAN.accuracy.delays, ids=lambda delays: delays.name)
def test_the_delays_have_the_quantiles_that_are_stated(delays):
    drawn = delays_s(20_000, **delays.model_dump(exclude={"name"}), seed=3)
    cuts = statistics.quantiles((1e3 * delay for delay in drawn), n=100, method="inclusive")
    for percent in (50, 95, 99):
        assert cuts[percent - 1] == pytest.approx(quantile_ms(delays, percent / 100), rel=0.005)


@pytest.mark.parametrize("slowed", calibration.to_calibrate(PLAN), ids=lambda slowed: slowed.key)
def test_a_measurement_of_an_amount_has_one_margin_that_is_the_effect(slowed):
    limits = suite_of(calibration.measuring(slowed, 30)).config.latency.limits
    margins = {name: getattr(limits, name).margin for name in ("p50", "p95", "p99", "cpu")}
    judged = "cpu" if slowed.form is Form.CPU else "p95"
    assert margins == dict.fromkeys(margins, calibration.ANY) | {judged: slowed.effect}
