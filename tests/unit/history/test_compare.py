"""Two reports side by side: nothing of a report beside itself, and of any two what differs."""

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from report_samples import (
    HOSTILE,
    LATENCY,
    hostile,
    inconclusive,
    on_gpu,
    promote,
    reject,
    report,
    reports,
    target,
)

from harness.errors import ExitCode
from harness.history.compare import compare, why_not_comparable
from harness.history.comparison import Comparison
from harness.history.comparison_text import MOST_MOVED, NOTHING, notes, tables
from harness.model import Finding, Outcome

AGAINST = "Other references, so what is measured against them does not compare"
slowly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
BACK = {"worse": "better", "better": "worse", "appeared": "disappeared", "disappeared": "appeared"}


def latency(**changed):
    """The healthy report, with its p99 otherwise."""
    p99 = LATENCY.findings[0].model_copy(update=changed)
    check = LATENCY.model_copy(update={"findings": (p99, LATENCY.findings[1])})
    checks = tuple(check if each.id == LATENCY.id else each for each in report().checks)
    return report(checks=checks)


@slowly
@given(reports())
def test_a_report_beside_itself_shows_nothing(of):
    found = compare(of, of)
    assert (found.identities, found.policy, found.checks, found.findings) == ((), (), (), ())
    assert found.asked_otherwise == ()
    assert notes(found)[-1] == NOTHING
    assert len(tables(found)) == 1


def test_a_size_beyond_any_float_is_another_machine():
    of = report()
    damaged = of.environment.model_copy(update={"memory_bytes": 10**400})
    [line] = why_not_comparable(of, of.model_copy(update={"environment": damaged}))
    assert line.startswith("Other machines")


@slowly
@given(reports(), reports())
def test_any_two_reports_compare_and_the_way_back_is_the_other_one(then, now):
    there, back = compare(then, now), compare(now, then)
    for way in (there, back):
        text = "\n".join(table.markdown() for table in tables(way))
        assert all(char.isprintable() or char in "\n\u200b" for char in text)
        assert Comparison.model_validate_json(way.model_dump_json()) is not None
    assert sorted(moves(there)) == sorted(
        (*name, BACK.get(movement, movement)) for *name, movement in moves(back)
    )


def moves(comparison):
    return [
        *((change.check_id, "", change.movement.value) for change in comparison.checks),
        *((change.check_id, change.finding_id, change.movement.value) for change in comparison.findings),
    ]


def test_a_failure_comes_first_with_what_was_observed_then_and_now():
    found = compare(promote(), reject())
    first = found.findings[0]
    assert (first.finding_id, first.movement) == ("golden.single.probabilities", "worse")
    assert (first.then.observed, first.now.observed, first.now.limit) == (3.8e-07, 0.03125, 1e-05)
    assert [change.check_id for change in found.checks][:2] == ["golden.single", "scenarios.auth"]
    news = [(change.finding_id, change.movement.value) for change in found.findings[:3]]
    assert news[1:] == [("scenarios.auth.alg-none", "appeared"), ("latency.paired.ratio", "worse")]


def test_what_appeared_and_disappeared():
    found = compare(reject(), inconclusive())
    gone = {change.finding_id for change in found.findings if change.movement == "disappeared"}
    assert "scenarios.auth.alg-none" in gone
    assert ("image.labels", "appeared") in {(c.check_id, c.movement.value) for c in found.checks}


def test_a_moved_number_has_its_interval_and_change():
    found = compare(latency(lower=19.8, upper=24.1), latency(observed=42.874, lower=39.0, upper=50.0))
    (change,) = found.findings
    assert change.movement == "moved"
    (row,) = tables(found)[-1].rows
    assert row[2:] == ("pass", "21.44 [19.8, 24.1]", "42.87 [39, 50]", "+100.0 %", "50", "ms")


def test_a_number_within_the_other_ones_interval_is_told_apart_from_what_moved():
    by_chance = compare(latency(lower=19.8, upper=24.1), latency(observed=22.5, lower=20.9, upper=25.3))
    assert [change.movement for change in by_chance.findings] == ["moved"]
    assert len(tables(by_chance)) == 1
    assert notes(by_chance)[0] == "Numbers that differ within each other's intervals, in --json only: 1."
    # Either interval alone is not enough, and neither is chance where a limit is another one.
    one_sided = compare(latency(lower=19.8, upper=24.1), latency(observed=22.5, lower=22.0, upper=23.0))
    another_limit = compare(
        latency(lower=19.8, upper=24.1), latency(observed=22.5, lower=20.9, upper=25.3, limit=80.0)
    )
    for found in (one_sided, another_limit):
        (row,) = tables(found)[-1].rows
        assert row[1] == "moved"
        assert notes(found) == ()


def test_a_limit_that_changed_is_a_difference():
    (row,) = tables(compare(latency(), latency(limit=80.0)))[-1].rows
    assert row[-2:] == ("50 → 80", "ms")


def test_a_change_of_many_times_is_told_so():
    rows = [tables(compare(latency(observed=2.0), latency(observed=x)))[-1].rows[0] for x in (3, 200.0, 0)]
    assert [row[5] for row in rows] == ["+50.0 %", "100 times", "-100.0 %"]


def test_a_check_that_is_no_longer_required_is_told():
    optional = LATENCY.model_copy(update={"required": False})
    found = compare(report(checks=(LATENCY,)), report(checks=(optional,)))
    assert tables(found)[-1].rows[0][2] == "pass, no longer required"
    found = compare(report(checks=(optional,)), report(checks=(LATENCY,)))
    assert tables(found)[-1].rows[0][2] == "pass, now required"


def test_another_message_or_time_is_no_difference():
    then, now = latency(), latency(message="p99 is as it was")
    slower = now.checks[0].model_copy(update={"duration_s": 99.0})
    now = now.model_copy(update={"checks": (slower, *now.checks[1:])})
    assert notes(compare(then, now)) == (NOTHING,)


def test_a_finding_of_an_id_that_stands_twice_is_not_lost():
    one = Finding(id="a", outcome=Outcome.PASS, message="")
    twice = LATENCY.model_copy(update={"findings": (one, one)})
    once = LATENCY.model_copy(update={"findings": (one,)})
    (change,) = compare(report(checks=(once,)), report(checks=(twice,))).findings
    assert (change.finding_id, change.movement) == ("a", "appeared")


def test_not_a_number_is_as_it_was():
    assert compare(latency(observed=math.nan), latency(observed=math.nan)).findings == ()
    assert len(compare(latency(observed=math.nan), latency(observed=1.0)).findings) == 1


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (report(suite="digits"), "Other suites: breast-cancer; digits."),
        (report(candidate=on_gpu().candidate), "Other devices: cpu; gpu."),
        (report(partial=True), "The later run is partial: it left families out."),
        (report(seed=1), "Other seeds, so other requests: 20261121; 1."),
        (report(harness_version="0.2.0"), "Other versions of harness: 0.0.9; 0.2.0."),
        (
            report(reference=target()),
            f"{AGAINST}: none; {target().image_id}.",
        ),
    ],
)
def test_what_does_not_compare_is_said(now, why):
    assert why_not_comparable(report(), now) == (why,)


def test_another_machine():
    other = report().environment.model_copy(update={"cores": 64})
    (line,) = why_not_comparable(report(), report(environment=other))
    assert line.startswith("Other machines, so times, CPU time and memory do not compare: AMD EPYC")
    assert "64 cores" in line


def test_checks_that_were_asked_otherwise_are_named():
    check = LATENCY.model_copy(update={"settings_sha256": "1"})
    found = compare(report(checks=(LATENCY,)), report(checks=(check,)))
    assert found.asked_otherwise == ("latency.paired",)
    assert notes(found)[0] == "Not asked the same (other settings or files): latency.paired."


def test_many_moved_numbers_are_cut_in_tables_and_whole_in_json():
    def many(observed):
        findings = tuple(
            Finding(id=f"f.{n}", outcome=Outcome.PASS, message="", observed=observed) for n in range(100)
        )
        return report(checks=(LATENCY.model_copy(update={"findings": findings}),))

    found = compare(many(1), many(2))
    assert len(found.findings) == 100
    assert len(tables(found)[-1].rows) == MOST_MOVED
    assert notes(found) == ("40 more findings with other numbers are in --json.",)


# --- the command


@pytest.fixture
def files(store):
    def files(then, now):
        return store(then, "then"), store(now, "now")

    return files


def test_the_table_says_the_verdicts_and_what_is_worse(run_main, files):
    result = run_main("compare", *files(promote(), reject()))
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[1].split()[:3] == [promote().run_id, "then", "promote"]
    assert lines[2].split()[1:3] == ["now", "reject"]
    row = next(line for line in lines if line.startswith("golden.single.probabilities"))
    assert "pass → fail" in row
    assert "3.8e-07" in row


def test_json_is_the_comparison_and_nothing_else(run_main, files):
    result = run_main("compare", *files(promote(), reject()), "--json")
    document = json.loads(result.stdout)
    assert document["now"]["decision"] == "reject"
    assert list(document) == list(Comparison.model_fields)


@pytest.mark.parametrize("to", ["table", "markdown"])
def test_json_takes_no_format_beside_it(run_main, files, to):
    result = run_main("compare", *files(promote(), reject()), "--json", "--format", to)
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert "--json and --format" in result.stderr


def test_markdown_and_terminal_keep_hostile_text_inert(run_main, files):
    paths = files(report(), hostile().model_copy(update={"run_id": "b"}))
    text = run_main("compare", *paths, "--format", "markdown").stdout
    assert "<script" not in text
    assert "](" not in text.replace("\\](", "")
    assert "@everyone" not in text
    assert all(char.isprintable() or char in "\n\u200b" for char in text)
    shown = run_main("compare", *paths).stdout
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "::error::" not in shown
    assert HOSTILE.split("\n")[0][:20] in shown


def test_a_loosened_limit_is_told(run_main, files):
    gate = 'schema_version = 1\nname = "a"\n[service]\nport = 1\nready_path = "/r"\n[latency.limits]\n'
    texts = gate, gate + "max_error_rate = 0.5"
    policies = [report().policy.model_copy(update={"content": text}) for text in texts]
    result = run_main("compare", *files(*(report(policy=policy) for policy in policies)))
    row = next(
        line for line in result.stdout.splitlines() if line.startswith("latency.limits.max_error_rate")
    )
    assert row.split()[1:] == ["loosened", "0.01", "0.5"]


def test_a_report_that_cannot_be_read(run_main, files, tmp_path):
    path, _ = files(report(), report())
    (tmp_path / "cut.json").write_text('{"schema_version": "1.0"')
    for wrong in ("none.json", "cut.json"):
        result = run_main("compare", path, tmp_path / wrong)
        assert result.returncode == ExitCode.USAGE
        assert wrong in result.stderr.replace("\n", "")
        assert result.stdout == ""
