"""How far a counter of inferences may rise with a step that may be refused."""

import pytest

from harness.checks.scenarios.check import RateScenarios
from harness.checks.scenarios.scenario import Expect
from harness.config.suite import load_suite
from harness.model import Outcome

STEP = """
[[scenario]]
id = "one"
title = "No more is inferred than is answered"
[[scenario.steps]]
request = "predict"
credential = "rate_burst"
repeat = 8
expect = {expect}
"""
COUNTS = "{ counts = [{ status = 200, exactly = 5 }, { status = 429, exactly = 3 }] }"
QUOTA = '{ quota = "five_a_minute" }'


@pytest.fixture
def play(folder, context_for, ask_directly):
    def play(expect, fault):
        (folder / "rate_limit.toml").write_text(STEP.replace("{expect}", expect))
        ask_directly(fault)
        context = context_for("http://service", suite=load_suite(folder / "gate.toml"))
        settings = context.suite.config.scenarios
        return RateScenarios().judge(RateScenarios().collect(context, settings), settings.limits)[0]

    return play


@pytest.mark.parametrize("expect", [COUNTS, QUOTA, '{ status = ["2xx", 429] }'])
def test_no_more_than_was_answered(play, expect):
    assert play(expect, "").outcome is Outcome.PASS
    finding = play(expect, "infers_first")
    assert finding.outcome is Outcome.FAIL
    assert "counter inferences rose by 8 instead of at most 5" in finding.message


def test_what_a_step_says_itself_counts(play):
    said = '{ status = ["2xx", 429], counters = { inferences = { at_most = 8 } } }'
    assert play(said, "infers_first").outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("status", "refuses", "may"),
    [
        (503, True, True),
        ([401, 503], True, True),
        ("5xx", True, True),
        ([200, 503], False, True),
        (200, False, False),
        ([200, 302], False, False),
    ],
)
def test_a_server_that_cannot_tell_refuses_too(status, refuses, may):
    expect = Expect.model_validate({"status": status})
    assert (expect.refuses, expect.may_refuse) == (refuses, may)
