"""Members of an answer that no output declares."""

import pytest
from golden_evidence import evidence, output
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.judge import judge_cases
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.members import undeclared
from harness.model import Outcome

DECLARED = ["/label", "/detail/score", "/a~1b", "/rows/0"]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"label": "x", "detail": {"score": 1}}, ()),
        ({"label": {"anything": [1, 2]}}, ()),
        ({"label": "x", "labels": "x"}, ("/labels",)),
        ({"detail": {"score": 1, "extra": {"deep": 1}}, "more": None}, ("/detail/extra", "/more")),
        ({"detail": 3}, ()),
        ({"a/b": 1, "a": {"b": 1}, "a~b": 1}, ("/a", "/a~0b")),
        ({"rows": [1, 2, 3]}, ("/rows/1", "/rows/2")),
        ({"rows": {"0": 1, "1": 2}}, ("/rows/1",)),
        ([1], ("/0",)),
        ({}, ()),
        (None, ()),
    ],
)
def test_what_is_declared_nowhere_is_found(document, found):
    assert undeclared(document, DECLARED) == found


def test_the_whole_answer_may_be_an_output():
    assert undeclared({"anything": 1}, [""]) == ()


def test_a_hostile_answer_is_told_of_in_a_few_words():
    found = undeclared({f"{number}{'x' * 10_000}": 1 for number in range(1000)}, DECLARED)
    assert len(found) == 8
    assert max(map(len, found)) <= 200


JSON = st.recursive(
    st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
def test_any_answer_is_searched_and_its_own_pointers_are_enough(document):
    found = undeclared(document, DECLARED)
    if len(found) < 8 and all(len(pointer) < 200 for pointer in found):  # longer ones are cut
        assert undeclared(document, [*DECLARED, *found]) == ()


def judged(extras, **more):
    made = evidence({"v": output(name="v")}, [({"v": 1.0}, {"v": 1.0})] * len(extras), closed=True, **more)
    cases = tuple(
        case.model_copy(update={"extra": extra}) for case, extra in zip(made.cases, extras, strict=True)
    )
    made = made.model_copy(update={"cases": cases})
    found = {finding.id: finding for finding in judge_cases("golden.single", made, GoldenLimits())}
    return found["golden.single.members"]


def test_more_than_declared_fails_and_is_named():
    finding = judged([(), ("/more", "/most"), ("/more",)])
    assert finding.outcome is Outcome.FAIL
    assert finding.message == "2 of 3 answers hold more; row-1 has /more, /most"
    assert (finding.observed, finding.limit, finding.samples) == (2, 0, 3)
    assert (finding.unit, finding.evidence) == ("answers with more", "golden.single/evidence.json")


def test_much_more_is_told_in_few_words():
    assert len(judged([tuple(f"/{letter * 190}" for letter in "abcdefgh")]).message) == 300


def test_nothing_more_passes():
    assert judged([(), ()]).outcome is Outcome.PASS


def test_no_answers_are_inconclusive():
    assert (judged([]).outcome, judged([]).message) == (Outcome.INCONCLUSIVE, "no answer to look at")


def test_a_suite_that_does_not_look_has_no_such_finding():
    made = evidence({"v": output(name="v")}, [({"v": 1.0}, {"v": 1.0})])
    assert "golden.single.members" not in {f.id for f in judge_cases("golden.single", made, GoldenLimits())}
