"""A folder of reports over time: what each run changed, and how its numbers went."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_samples import GOLDEN_SINGLE, HOSTILE, LATENCY, hostile, on_gpu, reject, report, reports, target

from harness.checks.golden.distribution import ERROR
from harness.checks.golden.judge import SHARE_OF_TOLERANCE
from harness.errors import ExitCode
from harness.history.folder import Stored
from harness.history.sparkline import LEVELS, MISSING, sparkline
from harness.history.trend import history, series, summarised
from harness.history.trend_text import tables
from harness.model import Decision, Finding, Outcome, PolicyRecord, Scope

GATE = 'schema_version = 1\nname = "a"\n[service]\nport = 1\nready_path = "/r"\n[latency.limits]\n'


def run(day, *, p99=20.0, used=0.5, **others):
    """The healthy report of a day, with its p99 and the share of a tolerance that it used."""
    found = Finding(id="latency.paired.p99.slo", outcome=Outcome.PASS, message="", observed=p99, unit="ms")
    golden = Finding(
        id="golden.single.y",
        outcome=Outcome.PASS,
        message="",
        observed=used,
        limit=1.0,
        unit=SHARE_OF_TOLERANCE,
    )
    checks = (
        LATENCY.model_copy(update={"findings": (found,)}),
        GOLDEN_SINGLE.model_copy(update={"findings": (golden,)}),
    )
    at = f"2026-11-{day:02}T10:00:00.000+00:00"
    fields = {"run_id": f"202611{day:02}T100000Z-4f2a9c81d0be-7c1e9a", "started_at": at, "finished_at": at}
    return report(**(fields | {"checks": checks} | others))


def shown(*of, limit=30):
    return history([summarised(Stored(Path("run.json"), each)) for each in of], limit)


def changes(*of):
    (group,) = shown(*of)
    return [each.changed for each in group.runs]


def policy(text):
    return PolicyRecord(path="gate.toml", sha256=str(len(text)), content=text)


def test_runs_stand_from_the_oldest_to_the_newest_of_each_suite_and_device():
    one, two = run(1), run(2)
    other = run(3, suite="digits")
    gpu = run(4, candidate=on_gpu().candidate)
    groups = shown(two, gpu, other, one)
    assert [(group.suite, group.device, len(group.runs)) for group in groups] == [
        ("breast-cancer", "cpu", 2),
        ("breast-cancer", "gpu", 1),
        ("digits", "cpu", 1),
    ]
    assert [each.run_id for each in groups[0].runs] == [one.run_id, two.run_id]


def test_the_limit_keeps_the_newest_and_what_they_changed():
    versions = [
        target().model_copy(update={"model": target().model.model_copy(update={"version": v})}) for v in "12"
    ]
    old, new = run(1, candidate=versions[0]), run(2, candidate=versions[1])
    (group,) = shown(old, new, limit=1)
    (kept,) = group.runs
    assert (kept.run_id, kept.changed) == (new.run_id, ("model 1 → 2",))


def test_what_each_run_changed():
    failing = reject().model_copy(update={"run_id": "b", "started_at": run(2).started_at})
    again = reject().model_copy(update={"run_id": "c", "started_at": run(3).started_at})
    assert changes(run(1), failing, again, run(4)) == [
        (),
        ("golden.single: fail", "scenarios.auth: fail", "latency.paired: inconclusive"),
        (),
        ("passes again: golden.single, scenarios.auth, latency.paired",),
    ]


def test_another_policy_machine_model_or_harness():
    other = run(1).environment.model_copy(update={"cores": 64})
    bytes_ = target().model_copy(update={"model": target().model.model_copy(update={"sha256": "00"})})
    looser = policy(GATE + "max_error_rate = 0.5")
    assert changes(
        run(1, policy=policy(GATE)),
        run(2, policy=looser),
        run(3, policy=policy("not a policy")),
        run(4, policy=policy("not a policy"), environment=other),
        run(5, policy=policy("not a policy"), environment=other, candidate=bytes_, harness_version="9"),
    )[1:] == [
        ("policy: 1 loosened",),
        ("policy: not comparable",),
        ("another machine",),
        ("another model of the same version", "harness 0.0.9 → 9"),
    ]


def test_a_policy_with_other_words():
    assert changes(run(1, policy=policy(GATE)), run(2, policy=policy("# so\n" + GATE)))[1] == (
        "policy: other words",
    )


def test_series_have_a_value_for_each_run_and_none_where_it_lacks_one():
    error = Finding(
        id="golden.single.y.bias", outcome=Outcome.PASS, message="", observed=-2e-6, limit=1e-5, unit=ERROR
    )
    check = GOLDEN_SINGLE.model_copy(update={"findings": (error,)})
    (group,) = shown(run(1, p99=20.0, used=0.25), run(2, p99=30.0, checks=(check,), duration_s=9.0))
    assert series(group) == {
        "p99, ms": (20.0, None),
        "golden.single.y, share": (0.25, None),
        "golden.single.y.bias, share": (None, pytest.approx(0.2)),
        "took, s": (89.7, 9.0),
    }
    runs, trend = tables(group)
    assert runs.rows[0][4:8] == ("", "", "20", "0.25")
    assert trend.rows[0] == ("p99, ms", f"{LEVELS[0]}{MISSING}", "20", "20", "20", "20")


def test_only_the_paired_load_counts_and_only_in_milliseconds():
    others = tuple(
        Finding(id=name, outcome=Outcome.PASS, message="", observed=value, unit=unit)
        for name, value, unit in [
            ("latency.paired.p99.ratio", 1.1, "times the reference"),
            ("latency.slo.p99.slo", 7.0, "ms"),
            ("latency.paired.p95", 3, "ms"),
            ("latency.paired.p50.slo", math.inf, "ms"),
            ("latency.paired.p99.9", 8.5, "ms"),
        ]
    )
    (group,) = shown(run(1, checks=(LATENCY.model_copy(update={"findings": others}),)))
    assert group.runs[0].latency_ms == {"p95": 3.0, "p99.9": 8.5}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(reports(), max_size=4))
def test_any_reports_have_a_history(of):
    for group in shown(*of):
        assert len({len(values) for values in series(group).values()}) == 1
        for table in tables(group):
            table.rich()


NUMBERS = st.none() | st.floats()


@given(st.lists(NUMBERS))
def test_a_sparkline_has_a_character_a_value_in_their_order(values):
    line = sparkline(values)
    assert len(line) == len(values)
    drawn = sorted(
        (value, LEVELS.index(char)) for value, char in zip(values, line, strict=True) if char != MISSING
    )
    assert [level for _, level in drawn] == sorted(level for _, level in drawn)
    known = [value for value in values if value is not None and math.isfinite(value)]
    assert len(drawn) == len(known)
    if known and min(known) < max(known):
        assert {LEVELS[0], LEVELS[-1]} <= set(line)


def test_sparklines_as_they_look():
    assert sparkline([1, 2, None, 3, 8]) == "▁▂·▃█"
    assert sparkline([5, 5]) == "▁▁"
    assert sparkline([None, math.nan]) == "··"


# --- the command


def test_the_table_has_runs_and_trends(run_main, store, tmp_path):
    store(run(1, p99=10.0))
    store(run(2, p99=40.0))
    result = run_main("history", tmp_path)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0].strip() == "breast-cancer on cpu"
    assert next(line for line in lines if line.startswith("p99, ms")).split()[2:] == [
        "▁█",
        "10",
        "40",
        "10",
        "40",
    ]
    assert "2026-11-02 10:00" in result.stdout


def test_json_has_the_same_and_filters_hold(run_main, store, tmp_path):
    store(run(1))
    store(run(2, suite="digits"))
    named = target(image="registry.test/other:1")
    store(run(3, candidate=named))

    def ask(*options):
        return json.loads(run_main("history", tmp_path, "--json", *options).stdout)["groups"]

    assert [len(group["runs"]) for group in ask()] == [2, 1]
    assert [group["suite"] for group in ask("--suite", "digits")] == ["digits"]
    ((found,),) = [group["runs"] for group in ask("--candidate", "other:1")]
    assert found["candidate"] == "registry.test/other:1"
    assert ask("--device", "gpu") == []
    assert [len(group["runs"]) for group in ask("--limit", 1)] == [1, 1]


def test_what_is_no_report_is_named_and_left_out(run_main, store, tmp_path):
    store(run(1))
    (tmp_path / "foreign.json").write_text("[1]")
    (tmp_path / "cut.json").write_text("{")
    result = run_main("history", tmp_path, "--json")
    assert result.returncode == 0
    document = json.loads(result.stdout)
    assert len(document["groups"]) == 1
    assert document["left_out"]["foreign.json"] == "not a report of harness"
    assert "foreign.json: not a report of harness" in result.stderr
    assert "cut.json: not JSON" in result.stderr


def test_hostile_reports_are_shown_and_obeyed_in_nothing(run_main, store, tmp_path):
    store(hostile(), "a")
    result = run_main("history", tmp_path)
    assert all(char.isprintable() or char == "\n" for char in result.stdout)
    assert "::error::" not in result.stdout
    assert run_main("history", tmp_path, "--json").stdout.isascii()
    assert HOSTILE[:8] in result.stdout


def test_a_folder_that_is_none(run_main, tmp_path):
    result = run_main("history", tmp_path / "none")
    assert result.returncode == ExitCode.USAGE
    assert "--out" in result.stderr


def test_an_empty_folder(run_main, tmp_path):
    assert "no such run" in run_main("history", tmp_path).stdout
    assert json.loads(run_main("history", tmp_path, "--json").stdout) == {"groups": [], "left_out": {}}


def pointer(run_main, tmp_path, *options):
    result = run_main("history", tmp_path, "--last-promoted", "--json", *options)
    return json.loads(result.stdout)


def test_the_last_promoted_release_and_the_one_before_it(run_main, store, tmp_path):
    old = target(image="service:1").model_copy(update={"image_id": "sha256:11", "repo_digest": "r@sha256:1"})
    new = target(image="service:2").model_copy(update={"image_id": "sha256:22"})
    store(run(1, candidate=old, reference=target(image="service:0")))
    store(run(2, candidate=new))
    path = store(run(3, candidate=new))
    store(run(4, candidate=old, partial=True))
    found = pointer(run_main, tmp_path)
    assert (found["image_id"], found["report"]) == ("sha256:22", str(path))
    assert found["previous"]["repo_digest"] == "r@sha256:1"
    assert found["previous"]["reference"]["image"] == "service:0"
    lines = run_main("history", tmp_path, "--last-promoted").stdout.splitlines()
    assert lines[0] == "last promoted: sha256:22"
    assert lines[4] == "before it: r@sha256:1"
    assert "against service:0" in lines[6]


def test_what_was_rejected_elsewhere_or_later_is_nothing_to_go_back_to(run_main, store, tmp_path):
    one, two, three = (
        target(image=f"service:{n}").model_copy(update={"image_id": f"sha256:{n}"}) for n in "123"
    )
    store(run(1, candidate=one))
    passed = store(run(2, candidate=two))
    failed = store(run(3, candidate=two.model_copy(update={"device": "gpu"}), decision=Decision.REJECT))
    store(run(4, candidate=three))
    passed_twice = store(run(5, candidate=three))
    again = store(run(6, candidate=three, decision=Decision.REJECT))
    result = run_main("history", tmp_path, "--last-promoted", "--json")
    found = json.loads(result.stdout)
    assert (found["image_id"], found["previous"]) == ("sha256:1", None)
    said = result.stderr.splitlines()
    assert len(said) == 2
    assert f"{passed}: the newest run of its image on gpu says reject ({failed})" in said[0]
    assert f"{passed_twice}: the newest run of its image on cpu says reject ({again})" in said[1]
    # A narrower question does not hide the other device's verdict, nor that under another name.
    for narrower in (("--device", "cpu"), ("--candidate", "service:2")):
        result = run_main("history", tmp_path, "--last-promoted", "--json", *narrower)
        assert "sha256:2" not in result.stdout


def test_a_release_that_another_run_contradicts_is_counted_so(run_main, store, tmp_path):
    store(run(1))
    store(run(2, decision=Decision.REJECT))
    result = run_main("history", tmp_path, "--last-promoted")
    assert result.returncode == ExitCode.REJECT
    assert "1: the newest run of its image on cpu says reject; 1: it says reject" in result.stderr


def test_a_limit_of_one_release_would_do_nothing(run_main, store, tmp_path):
    store(run(1))
    result = run_main("history", tmp_path, "--last-promoted", "--limit", 1)
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert "--limit" in result.stderr


def test_releases_of_several_suites_need_a_choice(run_main, store, tmp_path):
    store(run(1))
    store(run(2, suite="digits"))
    result = run_main("history", tmp_path, "--last-promoted")
    assert result.returncode == ExitCode.USAGE
    assert "--suite breast-cancer" in result.stderr
    assert pointer(run_main, tmp_path, "--suite", "digits")["suite"] == "digits"


def test_no_release_to_go_back_to(run_main, store, tmp_path):
    store(run(1, partial=True))
    store(run(2, scope=Scope.URL))
    store(run(3, decision=Decision.REJECT))
    store(run(4, decision=Decision.REJECT))
    result = run_main("history", tmp_path, "--last-promoted", "--json")
    assert (result.returncode, result.stdout) == (ExitCode.REJECT, "")
    for why in ("2: it says reject", "1: it is partial", "1: its candidate was a url"):
        assert why in result.stderr
