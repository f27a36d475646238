import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.fuzz.raw import RawFuzz
from harness.checks.fuzz.raw_judging import RawEvidence, RawResult, problem
from harness.checks.fuzz.settings import FuzzLimits, FuzzSettings, RawSettings
from harness.model import Capability, Outcome

LIMITS = FuzzLimits(max_recovery_ms=1000, max_answer_ms=500)
EXPECTATIONS = ("valid", "refused", "refused_or_closed", "depends")


def result(**changes):
    sound = {
        "case": "nan",
        "expect": "refused",
        "statuses": (),
        "status": 422,
        "ended": True,
        "answer_ms": 3.0,
        "answer": "",
        "refusal": None,
        "says_json": False,
        "request": b"\xff",
        "request_bytes": 1,
        "recovery_status": 200,
        "recovery_ms": 3.0,
        "ready": True,
        "reproduce": "curl x",
    }
    return RawResult(**(sound | changes))


def evidence(**changes):
    usual = {
        "expected": 1,
        "executed": 1,
        "results": (),
        "not_applicable": (),
        "memory_before_bytes": None,
        "memory_after_bytes": None,
    }
    return RawEvidence(**(usual | changes))


@pytest.mark.parametrize(
    ("expect", "status", "right"),
    [
        ("valid", 200, True),
        ("valid", 400, False),
        ("valid", None, False),
        ("refused", 422, True),
        ("refused", 200, False),
        ("refused", None, False),
        ("refused_or_closed", None, True),
        ("refused_or_closed", 413, True),
        ("refused_or_closed", 200, False),
        ("depends", 200, True),
        ("depends", 302, True),
        ("depends", None, True),
        ("depends", 500, False),
    ],
)
def test_what_is_right_for_an_expectation(expect, status, right):
    assert (not problem(result(expect=expect, status=status), LIMITS)) == right


@given(expect=st.sampled_from(EXPECTATIONS), status=st.integers(500, 599))
def test_a_server_error_is_never_right(expect, status):
    assert problem(result(expect=expect, status=status), LIMITS)


@given(expect=st.sampled_from(EXPECTATIONS), status=st.none() | st.integers(100, 599))
def test_a_hang_or_a_sick_service_is_never_right(expect, status):
    assert problem(result(expect=expect, status=status, ended=False), LIMITS)
    assert problem(result(expect=expect, status=status, recovery_status=None), LIMITS)
    assert problem(result(expect=expect, status=status, recovery_status=503), LIMITS)
    assert problem(result(expect=expect, status=status, recovery_ms=1001.0), LIMITS)
    assert problem(result(expect=expect, status=status, answer_ms=501.0), LIMITS)
    assert problem(result(expect=expect, status=status, ready=False), LIMITS)


def test_a_case_may_allow_one_server_error():
    assert not problem(result(expect="refused_or_closed", status=501, statuses=(501,)), LIMITS)
    assert problem(result(expect="refused_or_closed", status=500, statuses=(501,)), LIMITS)


def test_each_wrong_case_is_a_finding_of_its_own():
    stored = evidence(
        expected=3,
        executed=3,
        results=(result(), result(case="empty-body", status=500), result(case="chunked", expect="valid")),
        not_applicable=("x",),
    )
    found = {finding.id: finding for finding in RawFuzz().judge(stored, LIMITS)}
    assert {name for name, finding in found.items() if finding.outcome is Outcome.FAIL} == {
        "fuzz.raw.empty-body",
        "fuzz.raw.chunked",
    }
    assert found["fuzz.raw.cases"].outcome is Outcome.PASS
    assert found["fuzz.raw.empty-body"].reproduce == "curl x"


@given(expected=st.integers(0, 5), executed=st.integers(0, 5))
def test_fewer_cases_than_expected_are_inconclusive(expected, executed):
    stored = evidence(expected=expected, executed=executed)
    (finding,) = RawFuzz().judge(stored, LIMITS)
    assert (finding.outcome is Outcome.PASS) == (executed >= expected > 0)


def test_evidence_survives_storing(tmp_path):
    stored = evidence(results=(result(),), memory_before_bytes=1)
    stored.save(tmp_path, lambda text: text)
    assert RawEvidence.load(tmp_path) == stored


@pytest.mark.parametrize(
    ("expect", "says_json", "refusal", "right"),
    [
        ("refused", True, None, True),
        ("refused", True, "", True),
        ("refused", True, '"code" is a required property', False),
        ("refused", False, "it is not JSON", False),
        ("refused_or_closed", False, "it is not JSON", True),
        ("refused_or_closed", True, '"code" is a required property', False),
        ("refused_or_closed", True, "", True),
        ("depends", False, "it is not JSON", True),
        ("depends", True, '"code" is a required property', False),
    ],
)
def test_only_what_the_application_refuses_has_its_body(expect, says_json, refusal, right):
    judged = result(expect=expect, says_json=says_json, refusal=refusal)
    assert (not problem(judged, LIMITS)) == right


def memory_finding(limit_mib, before, after, **others):
    limits = FuzzLimits(max_memory_growth_mib=limit_mib)
    stored = evidence(memory_before_bytes=before, memory_after_bytes=after, **others)
    return next((item for item in RawFuzz().judge(stored, limits) if item.id == "fuzz.raw.memory"), None)


@given(before=st.integers(0, 2**40), grown=st.integers(-(2**30), 2**30), limit=st.integers(1, 1024))
def test_memory_may_grow_up_to_its_limit(before, grown, limit):
    found = memory_finding(limit, before, max(0, before + grown))
    exceeded = max(0, before + grown) - before > limit * 1024 * 1024
    assert found.outcome is (Outcome.FAIL if exceeded else Outcome.PASS)


def test_a_limit_that_cannot_be_held_against_anything_is_not_applicable():
    found = memory_finding(10, None, None)
    assert (found.outcome, found.missing) == (Outcome.NOT_APPLICABLE, Capability.CONTAINER)


@pytest.mark.parametrize(("before", "after"), [(None, None), (1, None)])
def test_a_container_of_whose_memory_nothing_is_told_is_not_decided(before, after):
    assert memory_finding(10, before, after, container=True).outcome is Outcome.INCONCLUSIVE


def test_without_a_limit_memory_is_not_judged():
    assert memory_finding(None, 0, 2**40) is None


def test_what_a_suite_leaves_out_is_listed():
    assert FuzzSettings().not_declared() == ()
    assert [aspect.split(" (")[0] for aspect in FuzzSettings(raw=RawSettings()).not_declared()] == [
        "fuzz.raw: the body of a refusal",
        "fuzz.raw: the largest body",
        "fuzz.raw: the growth of memory",
    ]
    whole = FuzzSettings(
        raw=RawSettings(error_schema="#/components/schemas/E", largest_body_bytes=9),
        limits=FuzzLimits(max_memory_growth_mib=9),
    )
    assert whole.not_declared() == ()
