"""The judge: total, self-contained, and right about every kind of expectation."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.checks.scenarios.check import AuthScenarios, RateScenarios
from harness.checks.scenarios.evidence import Exchange, ScenarioRecord, ScenariosEvidence, StepRecord
from harness.checks.scenarios.judging import judge_scenario
from harness.checks.scenarios.rules import ABSENT, holds, status_in
from harness.checks.scenarios.scenario import Expect, Rule
from harness.config.section import Limits
from harness.model import Outcome

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
STATUSES = st.integers(100, 599)
ALLOWED = st.lists(STATUSES | st.sampled_from(["1xx", "2xx", "3xx", "4xx", "5xx"]), min_size=1, max_size=3)
TEXTS = st.text(string.printable, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
RULES = st.fixed_dictionaries(
    {},
    optional={
        "equals": st.integers(0, 9) | TEXTS | st.booleans(),
        "matches": st.sampled_from(["^a", "[0-9]+$", "x"]),
        "at_least": st.integers(-3, 9),
        "at_most": st.integers(-3, 9),
    },
) | st.just({"present": False})
EXPECTS = st.builds(
    lambda status, headers, body, counts, down: Expect.model_validate(
        {"status": status, "headers": headers, "body": body, "counts": counts, "counts_down": down}
    ),
    ALLOWED,
    st.dictionaries(st.sampled_from(["Left", "Retry-After"]), RULES, max_size=2),
    st.dictionaries(st.sampled_from(["", "/a", "/b/0"]), RULES, max_size=2),
    st.lists(
        st.fixed_dictionaries(
            {"status": STATUSES, "at_least": st.integers(0, 3), "at_most": st.integers(0, 3)}
        ),
        max_size=2,
    ),
    st.none() | st.just("Left"),
)
EXCHANGES = st.builds(
    Exchange,
    sent_s=st.floats(0, 100),
    elapsed_s=st.floats(0, 10),
    status=st.none() | STATUSES,
    headers=st.dictionaries(st.sampled_from(["left", "retry-after"]), TEXTS, max_size=2),
    body=JSON.map(json.dumps) | TEXTS | st.just("[" * 3_000),
    truncated=st.booleans(),
    error=TEXTS,
)
STEPS = st.builds(
    StepRecord,
    request=TEXTS,
    expect=EXPECTS,
    reproduce=TEXTS,
    within_s=st.none() | st.floats(0.1, 50),
    not_sent=st.just(""),
    exchanges=st.lists(EXCHANGES, min_size=1, max_size=4).map(tuple),
) | st.builds(StepRecord, request=TEXTS, expect=EXPECTS, reproduce=TEXTS, not_sent=st.just("no Retry-After"))
SCENARIOS = st.builds(
    ScenarioRecord,
    id=st.just("one"),
    title=TEXTS,
    steps=st.lists(STEPS, min_size=1, max_size=3).map(tuple),
)


def answer(status=200, *, headers=None, body="{}", at_s=0.0):
    return Exchange(sent_s=at_s, elapsed_s=0.1, status=status, headers=headers or {}, body=body)


def no_answer():
    return Exchange(sent_s=0, elapsed_s=0.1, error="ConnectError: refused")


def judged(expect, *exchanges, **step):
    record = StepRecord(
        request="GET /", expect=Expect.model_validate(expect), reproduce="curl", exchanges=exchanges, **step
    )
    return judge_scenario(ScenarioRecord(id="one", title="It holds", steps=(record,)), "scenarios.auth")


@UNHURRIED
@given(SCENARIOS)
def test_any_evidence_gets_a_finding_the_same_after_storing(scenario):
    evidence = ScenariosEvidence(expected=1, executed=1, scenarios=(scenario,))
    (finding,) = AuthScenarios().judge(evidence, Limits())
    assert finding.outcome in {Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE}
    assert finding.id == "scenarios.auth.one"
    assert finding.message
    stored = ScenariosEvidence.model_validate_json(evidence.model_dump_json())
    assert AuthScenarios().judge(stored, Limits()) == [finding]
    json.loads(finding.model_dump_json())


@UNHURRIED
@given(SCENARIOS)
def test_a_step_without_an_answer_never_passes(scenario):
    lost = scenario.steps[-1].model_copy(update={"exchanges": (no_answer(),), "not_sent": ""})
    scenario = scenario.model_copy(update={"steps": (*scenario.steps[:-1], lost)})
    assert judge_scenario(scenario, "scenarios.rate").outcome is not Outcome.PASS


@settings(UNHURRIED, max_examples=20)
@given(st.lists(SCENARIOS, min_size=1, max_size=3))
def test_each_scenario_has_its_finding(scenarios):
    records = tuple(one.model_copy(update={"id": f"s{number}"}) for number, one in enumerate(scenarios))
    evidence = ScenariosEvidence(expected=len(records), executed=len(records), scenarios=records)
    findings = RateScenarios().judge(evidence, Limits())
    assert [finding.id for finding in findings] == [f"scenarios.rate.s{n}" for n in range(len(records))]


@UNHURRIED
@given(STATUSES, ALLOWED)
def test_a_status_is_allowed_by_itself_or_its_class(status, allowed):
    assert status_in(status, allowed) == any(str(status).startswith(str(one).rstrip("x")) for one in allowed)
    assert not status_in(None, allowed)


@UNHURRIED
@given(STATUSES, ALLOWED)
def test_the_status_decides(status, allowed):
    finding = judged({"status": allowed}, answer(status))
    assert (finding.outcome is Outcome.PASS) == status_in(status, allowed)
    assert finding.observed == status


@UNHURRIED
@given(st.lists(st.sampled_from([200, 201, 429, 500]), min_size=1, max_size=12), st.integers(0, 12))
def test_counts_are_exact(statuses, bound):
    exchanges = [answer(status) for status in statuses]
    seen = sum(status < 300 for status in statuses)
    for name, ok in (("exactly", seen == bound), ("at_least", seen >= bound), ("at_most", seen <= bound)):
        finding = judged({"counts": [{"status": "2xx", name: bound}]}, *exchanges)
        assert (finding.outcome is Outcome.PASS) == ok
        assert finding.observed == seen
        assert finding.samples == len(statuses)


@UNHURRIED
@given(st.integers(0, 50), st.integers(2, 9), st.data())
def test_a_header_counts_down_by_one(last, length, data):
    values = [str(last + length - 1 - step) for step in range(length)]
    expect = {"status": 200, "counts_down": "X-Left"}
    right = [answer(headers={"x-left": value}) for value in values]
    assert judged(expect, *right).outcome is Outcome.PASS
    at = data.draw(st.integers(0, length - 1))
    other = data.draw(st.sampled_from(["", "-1", "1.0", "many", str(int(values[at]) + 1)]))
    wrong = [*right[:at], answer(headers={"x-left": other}), *right[at + 1 :]]
    assert judged(expect, *wrong).outcome is Outcome.FAIL
    missing = [*right[:at], answer(), *right[at + 1 :]]
    assert judged(expect, *missing).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("rule", "value", "ok"),
    [
        ("a", "a", True),
        ("a", "A", False),
        (1, 1.0, True),
        (1, True, False),  # Python holds True == 1, JSON does not
        (True, 1, False),
        ([1, "a"], [1, "a"], True),
        ({"equals": {"a": 1}}, {"a": 1}, True),
        ({"present": True}, None, True),
        ({"present": True}, ABSENT, False),
        ({"present": False}, ABSENT, True),
        ({"present": False}, None, False),
        ("a", ABSENT, False),
        ({"matches": "^a+$"}, "aaa", True),
        ({"matches": "^a+$"}, "aab", False),
        ({"matches": "1"}, 1, False),
        ({"at_least": 1, "at_most": 5}, 5, True),
        ({"at_least": 1, "at_most": 5}, 6, False),
        ({"at_least": 1, "at_most": 5}, 0, False),
        ({"at_least": 0}, True, False),
        ({"at_least": 0}, "3", False),
    ],
)
def test_rules(rule, value, ok):
    assert holds(Rule.model_validate(rule), value) is ok


@pytest.mark.parametrize(
    ("rule", "value", "ok"),
    [
        (5, "5", True),
        (5, "4", False),
        ("05", "05", True),
        ({"at_least": 1, "at_most": 60}, "60", True),
        ({"at_least": 1, "at_most": 60}, "61", False),
        ({"at_least": 1}, "0", False),
        ({"at_least": 1}, "1.5", False),
        ({"at_least": 1}, "Sat, 21 Nov 2026 22:55:56 GMT", False),
        ({"present": True}, None, False),
        ({"present": False}, None, True),
    ],
)
def test_header_rules(rule, value, ok):
    headers = {} if value is None else {"retry-after": value}
    finding = judged({"status": 200, "headers": {"Retry-After": rule}}, answer(headers=headers))
    assert (finding.outcome is Outcome.PASS) is ok
    if not ok:
        seen = "absent" if value is None else value if value.isdecimal() else repr(value)
        assert f"header Retry-After is {seen} instead of " in finding.message
        assert finding.unit == "header Retry-After"


@pytest.mark.parametrize(
    ("body", "ok"),
    [
        ('{"error": {"code": "no_key"}}', True),
        ('{"error": {"code": ""}}', False),
        ('{"error": []}', False),
        ("[]", False),
        ("no JSON", False),
        ("[" * 3_000, False),
        ("", False),
    ],
)
def test_body_rules(body, ok):
    finding = judged({"status": 200, "body": {"/error/code": {"matches": "^[a-z_]+$"}}}, answer(body=body))
    assert (finding.outcome is Outcome.PASS) is ok


def test_answers_that_came_too_late_tell_nothing():
    expect = {"counts": [{"status": 429, "at_least": 1}]}
    late = [answer(200, at_s=0.0), answer(200, at_s=9.0)]
    assert judged(expect, *late, within_s=5).outcome is Outcome.INCONCLUSIVE
    assert judged(expect, *late, within_s=10).outcome is Outcome.FAIL
    assert judged(expect, *late).outcome is Outcome.FAIL
    assert judged(expect, answer(429), answer(429, at_s=9), within_s=5).outcome is Outcome.PASS


@pytest.mark.parametrize("broken", [answer(500, at_s=9), no_answer()])
def test_a_late_server_error_is_a_failure_all_the_same(broken):
    finding = judged({"status": 429}, answer(429), broken, answer(429, at_s=9), within_s=5)
    assert finding.outcome is Outcome.FAIL


def test_the_first_step_that_is_not_as_expected_decides():
    expect = Expect.model_validate({"status": 401})
    steps = tuple(
        StepRecord(
            request=f"GET /{status}", expect=expect, reproduce=f"curl {status}", exchanges=(answer(status),)
        )
        for status in (401, 200, 500)
    )
    steps = (steps[0], steps[1].model_copy(update={"waited_s": 2.5}), steps[2])
    finding = judge_scenario(ScenarioRecord(id="one", title="It holds", steps=steps), "scenarios.auth")
    assert (finding.observed, finding.limit, finding.unit, finding.samples) == (200, 401, "status", 2)
    assert finding.message == "It holds: not so in step 2 of 3, GET /200: status 200 instead of 401."
    assert finding.reproduce == "curl 401; sleep 2.5; curl 200"


def test_of_many_repeated_requests_the_first_few_are_named():
    finding = judged({"status": 200}, *[answer(503)] * 9)
    assert "request 1: status 503" in finding.message
    assert "request 4" not in finding.message
    assert finding.message.endswith("6 more.")
