import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.fuzz.protocol import (
    Answered,
    Applied,
    Broken,
    Ended,
    Failed,
    Planned,
    Replayed,
    Shrunk,
    parse,
)
from harness.checks.fuzz.schema import SchemaFuzz
from harness.checks.fuzz.schema_evidence import CheckCases, FailureKind, OperationCases, SchemaEvidence, Tally
from harness.checks.fuzz.settings import FuzzLimits
from harness.model import Outcome

LIMITS = FuzzLimits(min_accepted_share=0.9)


def operation(name="POST /predict", cases=100, valid=50, accepted=50):
    return OperationCases(operation=name, cases=cases, valid=valid, accepted=accepted, statuses={200: cases})


def evidence(**changes):
    sound = {
        "expected": 100,
        "executed": 100,
        "cases_per_operation": 100,
        "declared": ("not_a_server_error",),
        "operations": (operation(),),
        "checks": (CheckCases(name="not_a_server_error", applied=100, failed=0),),
        "failures": (),
        "failure_kinds": 0,
        "stateful": False,
        "errors": (),
        "ended": "completed",
    }
    return SchemaEvidence(**(sound | changes))


def judged(**changes):
    return {finding.id: finding for finding in SchemaFuzz().judge(evidence(**changes), LIMITS)}


def kind(check="not_a_server_error", status=500, **changes):
    usual = {
        "check": check,
        "operation": "POST /predict",
        "status": status,
        "exception": "",
        "count": 3,
        "message": "a server error",
        "again": True,
        "request": "POST /predict",
        "body": b"\xff",
        "answer": "",
        "curl": "curl x",
        "replay": "fuzz.schema/reproducers/x.json",
    }
    return FailureKind(**(usual | changes))


def test_sound_evidence_passes():
    assert {finding.outcome for finding in judged().values()} == {Outcome.PASS}


def test_each_kind_of_failure_is_a_finding_and_brings_its_commands():
    kinds = (kind(), kind(status=503), kind(check="no_answer", status=None, exception="timeout", again=False))
    found = judged(
        checks=(CheckCases(name="not_a_server_error", applied=9, failed=6),), failures=kinds, failure_kinds=3
    )
    failing = {name: finding for name, finding in found.items() if finding.outcome is Outcome.FAIL}
    assert set(failing) == {
        "fuzz.schema.not_a_server_error.POST /predict.500",
        "fuzz.schema.not_a_server_error.POST /predict.503",
        "fuzz.schema.no_answer.POST /predict.timeout",
    }
    finding = failing["fuzz.schema.not_a_server_error.POST /predict.500"]
    assert "POST /predict → 500 (3 times)" in finding.message
    assert (finding.samples, finding.reproduce) == (9, "curl x")
    assert finding.replay == "fuzz.schema/reproducers/x.json"
    assert "not seen again" in failing["fuzz.schema.no_answer.POST /predict.timeout"].message


def test_a_failure_beyond_the_stored_ones_still_fails():
    found = judged(checks=(CheckCases(name="ignored_auth", applied=9, failed=3),), failure_kinds=1)
    assert found["fuzz.schema.further"].outcome is Outcome.FAIL


def test_whether_chains_were_sent_is_told():
    assert "no links" in judged()["fuzz.schema.cases"].message
    assert "no links" not in judged(stateful=True)["fuzz.schema.cases"].message


def test_a_spent_budget_is_no_pass_though_every_operation_has_its_cases():
    found = judged(ended="budget")["fuzz.schema.cases"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "budget" in found.message


def test_every_finding_names_its_evidence():
    found = judged(ended="crashed", operations=()) | judged()
    assert {finding.evidence for finding in found.values()} == {"fuzz.schema/evidence.json"}


@pytest.mark.parametrize("ended", ["", "crashed", "killed", "broken", "interrupted", "failure_limit"])
def test_an_early_end_is_an_error(ended):
    assert judged(ended=ended)["fuzz.schema.engine"].outcome is Outcome.ERROR


def test_an_engine_error_is_an_error_even_when_all_cases_ran():
    assert judged(errors=("boom",))["fuzz.schema.engine"].outcome is Outcome.ERROR


def test_too_few_cases_are_inconclusive():
    found = judged(operations=(operation(), operation("GET /slow", cases=99)), ended="budget")
    assert found["fuzz.schema.cases"].outcome is Outcome.INCONCLUSIVE
    assert "GET /slow 99" in found["fuzz.schema.cases"].message
    assert "fuzz.schema.engine" not in found


def test_no_valid_request_is_inconclusive():
    found = judged(operations=(operation(valid=0, accepted=0),))
    assert found["fuzz.schema.accepted_share"].outcome is Outcome.INCONCLUSIVE


def test_an_operation_without_a_valid_request_is_inconclusive_beside_one_with_many():
    operations = (operation("GET /health"), operation(cases=50, valid=0, accepted=0))
    found = judged(operations=operations)["fuzz.schema.accepted_share"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "POST /predict" in found.message


def test_an_operation_that_refuses_fails_though_another_was_not_asked():
    operations = (operation(accepted=0), operation("GET /slow", valid=0, accepted=0))
    assert judged(operations=operations)["fuzz.schema.accepted_share"].outcome is Outcome.FAIL


@pytest.mark.parametrize("checks", [(), (CheckCases(name="ignored_auth", applied=0, failed=0),)])
def test_declared_checks_that_no_answer_was_held_against_are_inconclusive(checks):
    found = judged(declared=("not_a_server_error", "ignored_auth"), checks=checks)
    for name in ("not_a_server_error", "ignored_auth"):
        assert found[f"fuzz.schema.{name}"].outcome is Outcome.INCONCLUSIVE


def test_authentication_cannot_be_ignored_where_it_is_optional_everywhere():
    found = judged(declared=("not_a_server_error", "ignored_auth"))
    assert found["fuzz.schema.not_a_server_error"].outcome is Outcome.PASS
    assert "fuzz.schema.ignored_auth" not in found


@given(st.lists(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=1))
def test_the_accepted_share_holds_for_each_operation(shares):
    operations = tuple(
        operation(f"GET /{index}", valid=valid, accepted=accepted)
        for index, (valid, accepted) in enumerate(shares)
    )
    outcome = judged(operations=operations)["fuzz.schema.accepted_share"].outcome
    holds = all(accepted / valid >= LIMITS.min_accepted_share for valid, accepted in shares)
    assert (outcome is Outcome.PASS) == holds


@given(
    failed=st.integers(0, 3),
    cases=st.integers(0, 200),
    errors=st.lists(st.text(max_size=5), max_size=2),
    ended=st.sampled_from(["completed", "budget", "server_unavailable", "crashed", ""]),
)
def test_only_sound_evidence_passes_whole(failed, cases, errors, ended):
    found = judged(
        declared=("c",),
        checks=(CheckCases(name="c", applied=10, failed=failed),),
        failures=(kind(check="c"),) * min(failed, 1),
        failure_kinds=min(failed, 1),
        operations=(operation(cases=cases),),
        errors=tuple(errors),
        ended=ended,
    )
    sound = failed == 0 and cases >= 100 and not errors and ended == "completed"
    assert all(finding.outcome is Outcome.PASS for finding in found.values()) == sound


def failed(check="c", path="/", count=1, status=500):
    return Failed(
        check=check, operation="GET /", status=status, count=count, message="m", method="GET", path=path
    )


def test_a_busy_operation_does_not_stand_in_for_another():
    tally = Tally(10, lambda _done, _total: None)
    tally.add(Planned(operations=("GET /a", "GET /b")))
    for _ in range(50):
        tally.add(Answered(operation="GET /a", valid=True, status=200))
    assert (tally.executed, tally.expected) == (10, 20)
    assert [(cases.cases, cases.accepted) for cases in tally.cases()] == [(50, 50), (0, 0)]


def test_failures_of_one_kind_are_one_with_the_shortest_request():
    tally = Tally(1, lambda _done, _total: None)
    for path in ("/long", "/a", "/longer"):
        tally.add(failed(path=path, count=2))
    tally.add(Applied(checks={"c": 9, "d": 4}))
    assert [(kind.path, kind.count) for _, kind in tally.failures()] == [("/a", 6)]
    assert [(check.name, check.applied, check.failed) for check in tally.checks()] == [
        ("c", 9, 6),
        ("d", 4, 0),
    ]


def test_a_failure_made_smaller_keeps_its_count_and_its_kind():
    tally = Tally(1, lambda _done, _total: None)
    tally.add(failed(path="/long", count=7))
    tally.add(failed(path="/other", status=400))
    kind = failed().same
    tally.add(Shrunk(of=kind, again=True, failed=failed(path="/s")))
    tally.add(Shrunk(of=failed(status=400).same, again=False))
    assert [(kind.status, kind.path, kind.count) for _, kind in tally.failures()] == [
        (500, "/s", 7),
        (400, "/other", 1),
    ]
    assert tally.again == {kind: True, failed(status=400).same: False}


def test_every_check_is_among_the_first_failures():
    tally = Tally(1, lambda _done, _total: None)
    for status in range(400, 500):
        tally.add(failed(check="loud", status=status, count=9))
    tally.add(failed(check="quiet"))
    assert "quiet" in {kind.check for _, kind in tally.failures()[:2]}


@pytest.mark.parametrize(
    "message",
    [
        Planned(operations=("GET /",)),
        Answered(operation="GET /", valid=False, status=404),
        Applied(checks={"a": 1}),
        failed().model_copy(update={"body": b"\xff\x00", "headers": {"a": "b"}}),
        Shrunk(of=("c", "GET /", None, "timeout"), again=True, failed=failed()),
        Shrunk(of=("c", "GET /", 500, ""), again=False),
        Replayed(index=3, failed=failed()),
        Replayed(index=3, problem="no such operation \ud800"),
        Broken(message="m"),
        Ended(reason="completed"),
    ],
)
def test_a_message_survives_the_pipe(message):
    assert parse(message.model_dump_json().encode()) == message
