"""What is said of the candidate's starts; of a URL nothing that only a start or a log could tell."""

import pytest

from harness.checks.lifecycle.target import Start, TargetEvidence, TargetJudge
from harness.config.section import Limits

READY = Start(used_by=("golden.one",), startup_s=0.25)
NEVER = Start(used_by=("golden.one",), startup_s=None, problem="not ready within 1 s")


def judged(start, *, elsewhere):
    evidence = TargetEvidence(expected=1, executed=1, starts=(start,), elsewhere=elsewhere)
    return TargetJudge().judge(evidence, Limits())[0]


@pytest.mark.parametrize(
    ("elsewhere", "message", "unit"),
    [(False, "ready every time, slowest start 0.25 s", "starts"), (True, "ready every time", "times")],
)
def test_only_what_was_started_has_a_slowest_start(elsewhere, message, unit):
    ready = judged(READY, elsewhere=elsewhere)
    assert (ready.message, ready.unit) == (message, unit)


@pytest.mark.parametrize(
    ("elsewhere", "message"),
    [(False, "not ready within 1 s; its last line: (no output)"), (True, "not ready within 1 s")],
)
def test_only_what_was_started_has_a_last_line(elsewhere, message):
    assert judged(NEVER, elsewhere=elsewhere).message == message
