"""Steps that name a quota: judged together, per holder, and never passed with nothing told."""

import pytest

from harness.checks.scenarios.evidence import Exchange, ScenarioRecord, StepRecord
from harness.checks.scenarios.judging import judge_scenario
from harness.checks.scenarios.quota import quota_violations
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.scenario import Expect
from harness.model import Outcome

POLICY = RatePolicy(
    limit=3, window_s=60.0, algorithm="fixed-window", opens="first-request", remaining_header="X-Left"
)
PLAIN = POLICY.model_copy(update={"remaining_header": None})


def step(started_s, *statuses, quota=None, policy=PLAIN, apart_s=0.01, took_s=0.009, headers=None):
    """A step whose requests are sent one after the other."""
    quota = {"policy": "p", "holder": "me"} | (quota or {})
    exchanges = [
        Exchange(sent_s=started_s + n * apart_s, elapsed_s=took_s, status=status, headers=headers or {})
        for n, status in enumerate(statuses)
    ]
    return StepRecord(
        request="POST /x as me",
        expect=Expect.model_validate({"quota": quota}),
        reproduce="curl",
        policy=policy,
        exchanges=tuple(exchanges),
    )


def judged(*steps):
    return judge_scenario(ScenarioRecord(id="s", title="It holds", steps=steps), "scenarios.rate")


def test_answers_within_the_quota_pass_and_say_how_many_were_refused():
    finding = judged(step(0, 200, 201, 204, 429, 429))
    assert (finding.outcome, finding.observed, finding.limit) == (Outcome.PASS, 2, 5)


def test_steps_of_one_holder_are_counted_together():
    finding = judged(step(0, 200, 200), step(1, 200, 200, 429))
    assert finding.outcome is Outcome.FAIL
    assert finding.message == (
        "It holds: not so in step 2 of 2, POST /x as me: 4 passed in one window, at most 3 may "
        "(3 in 60 s, fixed-window)."
    )
    assert (finding.observed, finding.limit, finding.unit) == (4, 3, "requests")


def test_holders_are_counted_apart():
    finding = judged(step(0, 200, 200, 200, 429), step(1, 200, 200, quota={"holder": "you"}))
    assert finding.outcome is Outcome.PASS
    finding = judged(step(0, 200, 200, 200, 429), step(1, 429, 200, quota={"holder": "you"}))
    assert "request 1 of step 2 was refused: it costs 1, and of 3 at most 0 were used" in finding.message


def test_a_batch_counts_with_its_cost():
    assert judged(step(0, 200, 429, 429, quota={"cost": 2})).outcome is Outcome.PASS
    finding = judged(step(0, 200, 200, 429, quota={"cost": 2}))
    assert finding.observed == 4


def test_what_is_neither_an_answer_nor_a_refusal_fails():
    finding = judged(step(0, 200, 500, 429))
    assert finding.outcome is Outcome.FAIL
    assert "request 2: 500 is neither an answer nor a refusal" in finding.message
    assert (finding.observed, finding.limit, finding.unit) == (500, "2xx or 429", "status")


def test_no_answer_is_a_failure_of_the_step():
    unanswered = step(0, 200, None).model_copy(
        update={"exchanges": (Exchange(sent_s=0, elapsed_s=1, error="timed out"),)}
    )
    finding = judged(unanswered)
    assert finding.outcome is Outcome.FAIL
    assert "timed out" in finding.message
    assert [violation.observed for violation in quota_violations([unanswered])] == ["timed out"]


def test_strangers_may_be_counted_too():
    assert judged(step(0, 401, 401, 401, 429, quota={"passed": 401})).outcome is Outcome.PASS
    assert judged(step(0, 401, 200, 401, 429, quota={"passed": 401})).outcome is Outcome.FAIL


def test_headers_are_held_against_the_quota():
    finding = judged(step(0, 200, 429, policy=POLICY, headers={"X-Left": "9"}))
    assert "X-Left is 9" not in judged(step(0, 200, 429, headers={"X-Left": "9"})).message
    assert finding.outcome is Outcome.FAIL
    finding = judged(step(0, 200, policy=POLICY, headers={"X-Left": "9"}))
    assert "request 1 of step 1: X-Left is 9, and fewer were left" in finding.message


@pytest.mark.parametrize("steps", [(step(0, 200, 200, 200),), (step(0, 200, 200, 200, 429, took_s=90),)])
def test_what_might_all_have_passed_tells_nothing(steps):
    finding = judged(*steps)
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert finding.message.startswith("It holds: not told, as all might have passed")


def test_one_holder_that_came_to_its_limit_is_enough():
    other = step(5, 200, quota={"holder": "you"})
    assert judged(step(0, 200, 200, 200, 429), other).outcome is Outcome.PASS
