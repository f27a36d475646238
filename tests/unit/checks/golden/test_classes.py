"""Labels and scores agree with each other and with the golden ones; what is tied may change places."""

import pytest
from golden_evidence import evidence, output
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.judge import judge_cases
from harness.checks.golden.limits import ClassLimits, GoldenLimits, Tolerance
from harness.model import Outcome

KEYS = ("a", "b", "c")
OUTPUTS = {
    "label": output("string", name="label", argmax_of="scores"),
    "scores": output(name="scores", keys=KEYS),
}
BY_INDEX = {
    "label": output("int64", name="label", argmax_of="scores"),
    "scores": output(name="scores", shape=(3,)),
}
WIDE = {"scores": Tolerance(atol=10)}


def answer(label, *scores):
    return {"label": label, "scores": dict(zip(KEYS, scores, strict=True))}


def findings(*pairs, outputs=OUTPUTS, **limits):
    held = GoldenLimits(outputs=WIDE, classes={"scores": ClassLimits(**limits)})
    made = evidence(outputs, pairs)
    return {
        finding.id.removeprefix("golden.single."): finding
        for finding in judge_cases("golden.single", made, held)
    }


def failed(found):
    return {name for name, finding in found.items() if finding.outcome is Outcome.FAIL}


GOLDEN = answer("c", 0.1, 0.3, 0.6)


def test_the_same_answer_agrees_in_everything_that_is_declared():
    found = findings((GOLDEN, GOLDEN), top_k=2, sums_to=1.0, sums_atol=1e-9)
    assert {name: finding.outcome for name, finding in found.items()} == dict.fromkeys(
        ["answers", "label", "scores", "label.argmax", "scores.top_k", "scores.sum"], Outcome.PASS
    )
    assert found["label.argmax"].message == "1 cases have the label of their best score"
    assert found["scores.top_k"].message == "1 cases have the same 2 best classes"
    assert found["scores.sum"].message == "1 cases have scores that add up to 1"


def test_a_label_that_is_not_that_of_its_own_best_score_fails():
    found = findings((GOLDEN, answer("c", 0.1, 0.61, 0.29)))
    assert failed(found) == {"label.argmax"}
    assert found["label.argmax"].message == (
        "1 of 1 cases disagree; row-0 is labelled 'c', its best score is that of 'b'"
    )
    assert (found["label.argmax"].observed, found["label.argmax"].limit) == (1, 0)


def test_of_equal_best_scores_either_label_is_right():
    golden = answer("b", 0.2, 0.4, 0.4)
    assert failed(findings((golden, answer("c", 0.2, 0.4, 0.4)))) == set()


@pytest.mark.parametrize("label", [None, 2, True, ["c"], "d", 1.0])
def test_a_label_that_is_no_class_fails(label):
    assert failed(findings((GOLDEN, {**GOLDEN, "label": label}))) == {"label", "label.argmax"}


# The scores are 1/16 apart, which binary floats hold exactly.
TIED = answer("c", 0.125, 0.40625, 0.46875)
FLIPPED = answer("b", 0.125, 0.46875, 0.40625)


@pytest.mark.parametrize(("margin", "wrong"), [(0.0625, set()), (0.0624, {"label"}), (0.0, {"label"})])
def test_a_flip_counts_only_where_the_golden_margin_is_above_the_tie_margin(margin, wrong):
    found = findings((TIED, FLIPPED), tie_margin=margin)
    assert failed(found) == wrong
    if not wrong:
        assert found["label"].message == "1 cases are equal, but for 1 within the tie margin"


def test_a_flip_to_a_class_that_is_not_tied_counts():
    assert failed(findings((TIED, answer("a", 0.5, 0.3, 0.2)), tie_margin=0.1)) == {"label"}


def test_without_limits_of_classes_a_label_is_exact():
    made = evidence(OUTPUTS, [(answer("b", 0.2, 0.4, 0.4), answer("c", 0.2, 0.4, 0.4))])
    found = {finding.id: finding.outcome for finding in judge_cases("x", made, GoldenLimits(outputs=WIDE))}
    assert found["x.label"] is Outcome.FAIL
    assert found["x.label.argmax"] is Outcome.PASS
    assert "x.scores.top_k" not in found


@pytest.mark.parametrize(
    ("observed", "margin", "agrees"),
    [
        ((0.1, 0.6, 0.3), 0.0, True),  # the order of the best two is not asked here
        ((0.3, 0.1, 0.6), 0.0, False),
        ((0.3, 0.1, 0.6), 0.25, True),  # b and a are 0.2 apart
        ((0.6, 0.3, 0.1), 0.25, False),  # c is 0.5 above a
        ((0.3, 0.3, 0.4), 0.0, True),  # a tie in the answer counts in its favour
    ],
)
def test_the_best_k(observed, margin, agrees):
    golden = answer("c", 0.1, 0.3, 0.6)
    found = findings((golden, answer("c", *observed)), top_k=2, tie_margin=margin)
    assert ("scores.top_k" not in failed(found)) == agrees


def test_the_best_k_are_those_of_the_scores_whatever_they_are_called():
    golden = answer("a", 0.6, 0.3, 0.1)
    assert failed(findings((golden, golden), top_k=1)) == set()
    assert failed(findings((golden, answer("a", 0.5, 0.1, 0.4)), top_k=2)) == {"scores.top_k"}
    # b is among the best two, but the second is only 0.05 above c and so may be either.
    close = answer("b", 0.3, 0.375, 0.325)
    assert failed(findings((close, answer("b", 0.31, 0.375, 0.3)), top_k=2, tie_margin=0.05)) == set()
    assert failed(findings((close, answer("b", 0.31, 0.375, 0.3)), top_k=2, tie_margin=0.01)) == {
        "scores.top_k"
    }
    # The worst of those taken and the best of those left count, not the first or last by name.
    left = answer("b", 0.3, 0.6, 0.1)
    assert "scores.top_k" in failed(findings((left, answer("a", 0.9, 0.05, 0.05)), top_k=1, tie_margin=0.2))
    wide = answer("b", 0.3, 0.9, 0.1)
    assert failed(findings((wide, answer("c", 0.1, 0.3, 0.9)), top_k=1, tie_margin=0.5)) >= {"scores.top_k"}


def test_of_equally_wrong_cases_the_first_is_told():
    off = (GOLDEN, answer("c", 0.1, 0.61, 0.29))
    assert "; row-0 is" in findings(off, off)["label.argmax"].message


def test_cases_without_scores_are_passed_over():
    made = evidence(OUTPUTS, [(GOLDEN, GOLDEN)] * 4)
    unanswered, lacking, unread, whole = made.cases
    cases = (
        unanswered.model_copy(update={"problem": "HTTP 500", "observed": {}}),
        lacking.model_copy(update={"missing": {"scores": "nothing"}, "observed": {"label": "c"}}),
        unread.model_copy(update={"missing": {"label": "nothing"}, "observed": {"scores": GOLDEN["scores"]}}),
        whole,
    )
    limits = GoldenLimits(classes={"scores": ClassLimits(top_k=1, sums_to=1.0, sums_atol=1e-9)})
    made = made.model_copy(update={"cases": cases})
    found = {finding.id: finding for finding in judge_cases("x", made, limits)}
    samples = {name: found[f"x.{name}"].samples for name in ("label.argmax", "scores.top_k", "scores.sum")}
    assert samples == {"label.argmax": 1, "scores.top_k": 2, "scores.sum": 2}
    assert {found[f"x.{name}"].outcome for name in samples} == {Outcome.INCONCLUSIVE}


def test_a_finding_of_classes_is_whole():
    found = findings((GOLDEN, answer("c", 0.1, 0.61, 0.29)))["label.argmax"]
    assert (found.unit, found.samples, found.limit) == ("cases off", 1, 0)
    assert found.evidence == "golden.single/evidence.json"


def test_who_is_missing_among_the_best_is_told():
    found = findings((GOLDEN, answer("c", 0.3, 0.1, 0.6)), top_k=2)["scores.top_k"]
    assert found.message == "1 of 1 cases disagree; row-0 has 'a' among its best 2, not 'b'"


@pytest.mark.parametrize(
    ("observed", "right"),
    [
        ((0.25, 0.25, 0.5), True),
        ((0.25, 0.25, 0.625), True),
        ((0.25, 0.25, 0.6251), False),
        ((0, 0, 0.8749), False),
    ],
)
def test_scores_add_up(observed, right):
    found = findings((GOLDEN, answer("c", *observed)), sums_to=1.0, sums_atol=0.125)
    assert ("scores.sum" not in failed(found)) == right


def test_the_worst_sum_is_told():
    pairs = [(GOLDEN, answer("c", 0.1, 0.3, total)) for total in (0.7, 0.9, 0.6)]
    found = findings(*pairs, sums_to=1.0, sums_atol=0.05)["scores.sum"]
    assert found.message == "2 of 3 cases disagree; those of row-1 are 0.3 off 1, 0.05 is allowed"


def test_scores_by_index():
    golden = {"label": 2, "scores": [0.1, 0.3, 0.6]}
    assert failed(findings((golden, golden), outputs=BY_INDEX, top_k=1, sums_to=1.0, sums_atol=1e-9)) == set()
    other = {"label": 1, "scores": [0.1, 0.3, 0.6]}
    assert failed(findings((golden, other), outputs=BY_INDEX)) == {"label", "label.argmax"}


@pytest.mark.parametrize("scores", [None, {"a": 1.0}, {"a": "x", "b": 0, "c": 0}])
def test_scores_that_cannot_be_read_leave_the_rest_inconclusive(scores):
    found = findings((GOLDEN, {"label": "c", "scores": scores}), top_k=1, sums_to=1.0)
    assert failed(found) == {"scores"}
    for name in ("label.argmax", "scores.top_k", "scores.sum"):
        assert found[name].outcome is Outcome.INCONCLUSIVE
        assert found[name].message == "only 0 of 1 cases can be compared"


def test_one_unreadable_answer_among_right_ones_leaves_them_inconclusive():
    found = findings((GOLDEN, GOLDEN), (GOLDEN, {"label": "c", "scores": None}), sums_to=1.0, sums_atol=1e-9)
    assert (found["scores.sum"].outcome, found["scores.sum"].samples) == (Outcome.INCONCLUSIVE, 1)


def test_opposite_infinities_do_not_add_up():
    outputs = {**OUTPUTS, "scores": output(name="scores", keys=KEYS, nonfinite="strings")}
    observed = answer("a", "Infinity", "-Infinity", 0.0)
    found = findings((GOLDEN, observed), outputs=outputs, sums_to=1.0, sums_atol=1e9)
    assert "scores.sum" in failed(found)


def test_scores_that_are_no_number_have_no_best():
    outputs = {**OUTPUTS, "scores": output(name="scores", keys=KEYS, nonfinite="strings")}
    nowhere = answer("a", "NaN", 0.5, 0.5)
    found = findings((nowhere, nowhere), outputs=outputs, top_k=1)
    assert failed(found) == set()
    assert found["label.argmax"].outcome is Outcome.INCONCLUSIVE


SIXTEENTHS = st.integers(0, 16).map(lambda number: number / 16)


@given(
    st.tuples(SIXTEENTHS, SIXTEENTHS, SIXTEENTHS), st.tuples(SIXTEENTHS, SIXTEENTHS, SIXTEENTHS), SIXTEENTHS
)
def test_labels_agree_exactly_when_the_golden_scores_are_within_the_margin(expected, observed, margin):
    def labelled(scores):
        return answer(KEYS[scores.index(max(scores))], *scores)

    golden, seen = labelled(expected), labelled(observed)
    found = findings((golden, seen), tie_margin=margin, top_k=1)
    behind = max(expected) - expected[KEYS.index(seen["label"])]
    assert ("label" in failed(found)) == (behind > margin)
    assert "label.argmax" not in failed(found)
    # A tie in the answer is broken in favour of the golden scores, so that the best one is no stricter.
    assert "label" in failed(found) or "scores.top_k" not in failed(found)
