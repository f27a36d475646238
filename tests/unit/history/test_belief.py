"""Which stored reports are believed: an edited one promotes nothing, and hides no other."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from attested_reports import SUITE, a_check, a_report
from report_samples import looser, promote, reject

from harness import __version__
from harness.history.belief import why_not_believed
from harness.history.folder import Stored
from harness.history.promoted import with_last_promote
from harness.model import Decision, Outcome, PolicyRecord

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BAD = a_check(outcome=Outcome.FAIL)


def own(*checks, **fields):
    """A promote of this version."""
    return a_report(*checks, **{"harness_version": __version__, **fields})


def why(report, name=None):
    return why_not_believed(Stored(Path(f"{name or report.run_id}.json"), report), NOW)


@pytest.mark.parametrize(
    "report",
    [own(), promote(), looser(), reject(), own(BAD, decision=Decision.REJECT), a_report(harness_version="9")],
)
def test_what_a_run_wrote_is_believed(report):
    assert why(report) == ""


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        (own(BAD), "its checks come to reject"),
        (own().model_copy(update={"checks": ()}), "its checks come to inconclusive"),
        (own(BAD, harness_version="9"), "its required checks do not: golden.single"),
        (own().model_copy(update={"checks": (), "harness_version": "9"}), "it has none"),
        (own(policy=PolicyRecord(path="g", sha256="00" * 32, content=SUITE.text)), "was changed since"),
        (own(started_at="9999-12-31T00:00:00Z"), "no run can have its times"),
        (own(finished_at="9999-12-31T00:00:00Z"), "no run can have its times"),
        (own(started_at="2026-11-21T23:00:00Z"), "no run can have its times"),
        (own(started_at="when?"), "no run can have its times"),
        (reject().model_copy(update={"finished_at": "9999-12-31"}), "no run can have its times"),
    ],
)
def test_what_no_run_wrote_is_not(report, problem):
    assert problem in why(report)


def test_a_policy_of_this_version_that_it_does_not_read():
    assert why(promote().model_copy(update={"harness_version": __version__}))


def test_a_report_under_another_name_is_not_believed_and_does_not_shadow_the_run(store, tmp_path):
    forged = own(BAD)
    assert why(forged, "0") == f"it is of run {forged.run_id}, and has not that name"
    store(forged, "0")
    path = store(own())
    later = own(run_id="later", started_at="2026-11-21T22:41:00Z")
    assert with_last_promote(later, tmp_path).since_last_promote.run_id == path.stem
    store(forged)
    assert with_last_promote(later, tmp_path).since_last_promote is None


def test_the_pointer_leaves_out_what_is_not_believed_and_says_why(run_main, store, tmp_path):
    path = store(own())
    forged = store(own(BAD, run_id="20261122T000000Z-5e5e5e5e5e5e-ffffff", finished_at="9999-12-31"))
    result = run_main("history", tmp_path, "--last-promoted")
    assert str(path) in result.stdout
    assert f"left out {forged}: no run can have its times" in result.stderr
