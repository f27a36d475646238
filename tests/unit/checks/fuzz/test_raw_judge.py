import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.fuzz.raw import RawEvidence, RawFuzz, RawResult, problem
from harness.checks.fuzz.settings import FuzzLimits
from harness.model import Outcome

LIMITS = FuzzLimits(max_recovery_ms=1000)
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
        "request": b"\xff",
        "request_bytes": 1,
        "recovery_status": 200,
        "recovery_ms": 3.0,
        "reproduce": "curl x",
    }
    return RawResult(**(sound | changes))


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


def test_a_case_may_allow_one_server_error():
    assert not problem(result(expect="refused_or_closed", status=501, statuses=(501,)), LIMITS)
    assert problem(result(expect="refused_or_closed", status=500, statuses=(501,)), LIMITS)


def test_each_wrong_case_is_a_finding_of_its_own():
    stored = RawEvidence(
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
    stored = RawEvidence(expected=expected, executed=executed, results=(), not_applicable=())
    (finding,) = RawFuzz().judge(stored, LIMITS)
    assert (finding.outcome is Outcome.PASS) == (executed >= expected > 0)


def test_evidence_survives_storing(tmp_path):
    stored = RawEvidence(expected=1, executed=1, results=(result(),), not_applicable=())
    stored.save(tmp_path, lambda text: text)
    assert RawEvidence.load(tmp_path) == stored
