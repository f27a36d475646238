"""What a trial keeps of the reports of its gates."""

import pytest
from selftest_samples import check, report, trial

from harness.model import Decision, Outcome
from harness.selftest.model import Mode, Result
from harness.selftest.outcome import Judged
from harness.selftest.trial import Asked, of_report

OPEN = check("latency.paired", Outcome.INCONCLUSIVE, "latency.paired.p99")
SLOW = check("latency.paired", Outcome.FAIL, "latency.paired.p99")


@pytest.fixture
def after(tmp_path):
    """A trial after one more report of it."""
    asked = Asked(config=tmp_path / "gate.toml", folder=tmp_path, mode=Mode.QUICK, seed=0)

    def after(before, of, judged, tries):
        path = tmp_path / "runs" / f"{tries}.json"
        return of_report(before, of, path, asked, judged=judged, expected=["latency.paired"], tries=tries)

    return after


def test_the_seconds_to_its_verdict_are_those_of_every_time_that_it_was_gated(after):
    """Also of a gate that was asked again: its users would wait for that too."""
    first = report(Decision.INCONCLUSIVE, OPEN)
    last = report(Decision.REJECT, SLOW).model_copy(update={"duration_s": 30.25})
    begun = trial(result=Result.ERROR, verdict_s=None)
    once = after(begun, first, Judged(Result.UNDECIDED, "it is open"), 1)
    assert once.verdict_s == pytest.approx(first.duration_s)
    twice = after(once, last, Judged(Result.KILLED), 2)
    assert twice.verdict_s == pytest.approx(first.duration_s + 30.25)
    assert (twice.tries, twice.result, twice.undecided) == (2, Result.KILLED, ())
    assert twice.report == "runs/2.json"
