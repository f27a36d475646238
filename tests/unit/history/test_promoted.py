"""Which report counts as the last release, and what the next run says of its own limits."""

import pytest
from report_samples import inconclusive, promote, reject, report, target

from harness.errors import UsageError
from harness.history.folder import Skipped, Stored, read_reports, report_paths
from harness.history.promoted import last_promoted, since_last_promote, why_no_release
from harness.model import PolicyRecord, Scope

POLICY = """
schema_version = 1
name = "breast-cancer"
[service]
port = 8000
ready_path = "/ready"
[latency.limits]
p99 = { slo_ms = 100, margin = 0.5 }
"""


def policy(content):
    return PolicyRecord(path="gate.toml", sha256="c4" * 32, content=content)


def run(day, **others):
    at = f"2026-11-{day:02}T10:00:00.000+00:00"
    fields = {"run_id": f"202611{day:02}T100000Z-4f2a9c81d0be-7c1e9a", "started_at": at, "finished_at": at}
    return report(**(fields | {"policy": policy(POLICY)} | others))


@pytest.mark.parametrize(
    ("of", "why"),
    [
        (promote(), ""),
        (reject(), "it says reject"),
        (inconclusive(), "it says inconclusive"),
        (report(partial=True), "it is partial"),
        (report(scope=Scope.PROCESS), "its candidate was a process, not a container"),
        (report(scope=Scope.URL), "its candidate was a url, not a container"),
        (
            report(candidate=target().model_copy(update={"image_id": None})),
            "it names neither image id nor repository digest",
        ),
        (
            report(candidate=target().model_copy(update={"image_id": None, "repo_digest": "r@sha256:1"})),
            "",
        ),
    ],
)
def test_what_counts_as_a_release(of, why):
    assert why_no_release(of) == why


def read(folder):
    return list(read_reports(report_paths(folder), lambda _done, _total: None))


def test_the_newest_counts_whatever_its_file_is_called(store, tmp_path):
    store(run(1), "zzz")
    newest = store(run(3), "aaa")
    store(run(2))
    store(run(4, partial=True))
    assert last_promoted(each for each in read(tmp_path) if isinstance(each, Stored)).path == newest
    assert since_last_promote(run(5), tmp_path).run_id == run(3).run_id


def test_none_counts(store, tmp_path):
    assert last_promoted(()) is None
    store(run(1, partial=True))
    assert since_last_promote(run(2), tmp_path) is None


def test_of_another_suite(store, tmp_path):
    store(run(1, suite="digits"))
    assert since_last_promote(run(2), tmp_path) is None


def test_what_was_loosened_is_told_with_both_values(store, tmp_path):
    store(run(1))
    looser = policy(POLICY.replace("margin = 0.5", "margin = 0.9").replace("slo_ms = 100", "slo_ms = 50"))
    since = since_last_promote(run(2, policy=looser), tmp_path)
    assert [(change.key, change.old, change.new) for change in since.changes] == [
        ("latency.limits.p99.margin", 0.5, 0.9)
    ]
    assert (since.image_id, since.problem) == (run(1).candidate.image_id, "")
    assert since_last_promote(run(2), tmp_path).changes == ()


def test_a_policy_that_is_no_longer_read_is_said(store, tmp_path):
    store(run(1, policy=policy("margin = 1")))
    since = since_last_promote(run(2), tmp_path)
    assert since.problem.startswith("the earlier policy is not one that this version of harness reads")


def test_what_is_no_report_costs_nothing(store, tmp_path):
    kept = store(run(1))
    (tmp_path / "foreign.json").write_text("{}")
    (tmp_path / "20261231T000000Z-url-abc.json").write_text('{"schema_version": "1.0", "cut')
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "latest").symlink_to(kept.name)
    store(run(1), "copy")
    assert since_last_promote(run(2), tmp_path).run_id == run(1).run_id
    problems = {each.path.name: each.problem for each in read(tmp_path) if isinstance(each, Skipped)}
    assert set(problems) == {"foreign.json", "20261231T000000Z-url-abc.json", "folder.json", "copy.json"}
    assert problems["foreign.json"] == "not a report of harness"
    assert problems["copy.json"] == f"the same run as {kept.name}"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="no folder of reports"):
        report_paths(tmp_path / "none")
