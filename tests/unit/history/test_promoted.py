"""Which report counts as the last release, and what the next run says of its own limits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import inconclusive, policy, promote, reject, report, target

from harness.errors import UsageError
from harness.history.folder import Skipped, Stored, read_reports, report_paths
from harness.history.promoted import judged, promotes, with_last_promote
from harness.model import Decision, Scope

POLICY = """
schema_version = 1
name = "breast-cancer"
[service]
port = 8000
ready_path = "/ready"
[latency.limits]
p99 = { slo_ms = 100, margin = 0.5 }
"""


def since_last_promote(of, folder):
    return with_last_promote(of, folder).since_last_promote


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
    assert judged(Stored(Path("run.json"), of)).why_no_release == why


def read(folder):
    return list(read_reports(report_paths(folder), lambda _done, _total: None))


def test_the_newest_counts_whatever_its_file_is_called(store, tmp_path):
    store(run(1, run_id="zzz"))
    newest = store(run(3, run_id="aaa"))
    store(run(2))
    store(run(4, partial=True))
    assert releases(read(tmp_path))[0].path == newest
    assert since_last_promote(run(5), tmp_path).run_id == "aaa"


def releases(found):
    """The runs that stand, the newest first."""
    runs = [judged(each) for each in found if isinstance(each, Stored)]
    return [each.run for each in promotes(runs) if each.against is None]


def of(day, decision="promote", device="cpu", image="1", digest=None, **others):
    """A day's run of an image, as it is stored."""
    candidate = target().model_copy(
        update={"image_id": image and f"sha256:{image}", "repo_digest": digest, "device": device}
    )
    stored = run(day, candidate=candidate, decision=Decision(decision), **others)
    return Stored(Path(f"{day}.json"), stored)


@pytest.mark.parametrize(
    ("runs", "stand"),
    [
        ([of(1), of(2, device="gpu")], ["2", "1"]),
        ([of(1), of(2, "reject", device="gpu")], []),
        ([of(1, "reject", device="gpu"), of(2)], []),
        ([of(1, "reject", device="gpu"), of(2), of(3, device="gpu")], ["3", "2"]),
        ([of(1), of(2, "reject")], []),
        ([of(1), of(2, "inconclusive")], []),
        ([of(1, "reject"), of(2)], ["2"]),
        # What says nothing of the image as it would be deployed.
        ([of(1), of(2, "reject", partial=True), of(3, "reject", scope=Scope.URL)], ["1"]),
        ([of(1), of(2, "reject", image="2"), of(3, "reject", suite="digits")], ["1"]),
        # Another engine's id of the same digest, and another repository's digest of the same image.
        ([of(1, digest="r@sha256:aa"), of(2, "reject", image="9", digest="r@sha256:aa")], []),
        ([of(1, digest="r@sha256:aa"), of(2, "reject", image=None, digest="s@sha256:aa")], []),
        ([of(1, digest="r@sha256:aa"), of(2, "reject", image="aa", device="gpu")], []),
        ([of(1, digest="r@sha256:aa"), of(2, "reject", image="9", digest="r@sha256:bb")], ["1"]),
    ],
)
def test_an_image_is_a_release_where_its_newest_run_on_each_device_promotes(runs, stand):
    for order in (runs, runs[::-1]):
        assert [each.path.stem for each in releases(order)] == stand


def test_the_run_that_speaks_against_a_promote_is_named():
    (found,) = promotes([judged(each) for each in (of(1), of(2, "reject", device="gpu"))])
    assert (found.run.path.stem, found.against.path.stem) == ("1", "2")


DRAWN = st.tuples(
    st.sampled_from(Decision), st.sampled_from(["cpu", "gpu"]), st.sampled_from("12"), st.booleans()
)


@given(st.lists(DRAWN, max_size=8))
def test_nothing_that_was_last_judged_otherwise_stands(drawn):
    runs = [
        of(day, decision.value, device, image, partial=partial)
        for day, (decision, device, image, partial) in enumerate(drawn, start=1)
    ]
    last = {(image, device): decision for decision, device, image, partial in drawn if not partial}
    good = {
        image
        for image in "12"
        if {decision for (of_image, _), decision in last.items() if of_image == image} == {Decision.PROMOTE}
    }
    assert {each.release.image_id for each in releases(runs)} == {f"sha256:{image}" for image in good}


def test_limits_are_measured_by_a_release_that_stands(store, tmp_path):
    for each in (of(1, image="1"), of(2, image="2"), of(3, "reject", device="gpu", image="2")):
        store(each.report)
    assert since_last_promote(run(4), tmp_path).run_id == run(1).run_id


def test_none_counts(store, tmp_path):
    assert releases([]) == []
    store(run(1, partial=True))
    assert since_last_promote(run(2), tmp_path) is None


def test_of_another_suite(store, tmp_path):
    store(run(1, suite="digits"))
    assert since_last_promote(run(2), tmp_path) is None


def test_limits_are_measured_by_an_earlier_release_on_the_same_device(store, tmp_path):
    for each in (of(1, image="1"), of(2, device="gpu", image="2"), of(4, image="4")):
        store(each.report)
    assert since_last_promote(run(3), tmp_path).run_id == run(1).run_id
    assert since_last_promote(of(3, device="gpu").report, tmp_path).run_id == run(2).run_id
    assert since_last_promote(of(2, device="gpu").report, tmp_path) is None


def test_a_run_says_that_its_limits_were_not_compared_where_it_could_promote(store, tmp_path):
    def why(report):
        return with_last_promote(report, tmp_path).limits_not_compared

    said = "no earlier promote of breast-cancer on cpu lies beside the report"
    assert why(run(3)) == said
    for other in (run(3, partial=True), run(3, scope=Scope.URL)):
        assert why(other) == ""
    store(run(1, suite="renamed"))
    store(of(2, device="gpu").report)
    assert why(run(3)) == f"{said}; those of other suites there: 1"
    store(run(2, run_id="same"))
    assert why(run(3)) == ""


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
