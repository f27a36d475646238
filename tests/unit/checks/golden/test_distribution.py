"""Limits on the distribution of errors: what hides in a tolerance is found; too little decides nothing."""

import pytest
from golden_evidence import evidence, output
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.judge import judge_cases
from harness.checks.golden.limits import ErrorLimits, GoldenLimits, Tolerance
from harness.model import Outcome

SCORE = {"score": output(name="score", dtype="float64")}
CLASSES = {"p": output(name="p", keys=("no", "yes"))}
WIDE = Tolerance(atol=1e-5)


def findings(outputs, pairs, **limits):
    (name,) = outputs
    held = GoldenLimits(outputs={name: WIDE}, errors={name: ErrorLimits(**limits)})
    return {finding.id: finding for finding in judge_cases("golden.single", evidence(outputs, pairs), held)}


def scores(errors, expected=0.5):
    return [({"score": expected}, {"score": expected + error}) for error in errors]


def split(errors):
    """Scores of two classes that add up to 1."""
    return [({"p": {"no": 0.25, "yes": 0.75}}, {"p": {"no": 0.25 - e, "yes": 0.75 + e}}) for e in errors]


def test_a_bias_far_below_the_tolerance_of_every_element_is_caught():
    found = findings(SCORE, scores([1e-6] * 200), bias=1e-7)
    assert found["golden.single.score"].outcome is Outcome.PASS
    bias = found["golden.single.score.bias"]
    assert bias.outcome is Outcome.FAIL
    assert bias.observed == pytest.approx(1e-6)
    assert (bias.limit, bias.unit, bias.samples) == (1e-7, "error", 200)
    assert bias.message == "mean error of all elements is 1e-06, beyond 1e-07, over 200 elements"
    assert bias.evidence == "golden.single/evidence.json"


def test_the_sign_of_a_bias_is_told():
    assert findings(SCORE, scores([-1e-6] * 200), bias=1e-7)["golden.single.score.bias"].observed < 0


def test_the_same_errors_to_both_sides_are_no_bias_but_a_median():
    found = findings(SCORE, scores([1e-6, -1e-6] * 100), bias=1e-7, p50=5e-7)
    assert found["golden.single.score.bias"].outcome is Outcome.PASS
    assert found["golden.single.score.p50"].outcome is Outcome.FAIL


def test_what_one_class_gets_and_another_lacks_is_a_bias_of_each():
    bias = findings(CLASSES, split([1e-6] * 200), bias=1e-7)["golden.single.p.bias"]
    assert bias.outcome is Outcome.FAIL
    assert bias.samples == 200
    assert "at /no" in bias.message or "at /yes" in bias.message


def test_each_class_needs_its_own_least_number():
    # 200 elements, but 100 of each class: only all of them together are enough, and they have no bias.
    bias = findings(CLASSES, split([1e-6] * 100), bias=1e-7, least=150)["golden.single.p.bias"]
    assert (bias.outcome, bias.samples) == (Outcome.PASS, 200)


@pytest.mark.parametrize(("cases", "outcome"), [(99, Outcome.INCONCLUSIVE), (100, Outcome.PASS)])
@pytest.mark.parametrize("measure", ["bias", "p50", "p99", "max"])
def test_fewer_than_the_least_decide_nothing(measure, cases, outcome):
    found = findings(SCORE, scores([0.0] * cases), **{measure: 1e-7})[f"golden.single.score.{measure}"]
    assert found.outcome is outcome
    assert found.samples == cases


def test_a_failure_on_too_few_is_inconclusive_too():
    found = findings(SCORE, scores([1.0] * 9), bias=1e-7, least=10)
    assert found["golden.single.score.bias"].outcome is Outcome.INCONCLUSIVE
    assert found["golden.single.score.bias"].message == "9 elements to compare, at least 10 are needed"


def test_quantiles_are_those_of_the_elements():
    errors = [number * 1e-8 for number in range(1, 201)]
    found = findings(SCORE, scores(errors, expected=0.0), p50=1e-3, p99=1e-3, max=1e-3)
    assert found["golden.single.score.p50"].observed == pytest.approx(100e-8)
    assert found["golden.single.score.p99"].observed == pytest.approx(198e-8)
    assert found["golden.single.score.max"].observed == pytest.approx(200e-8)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(0.5, Outcome.PASS), (0.5000001, Outcome.WARN), (1.0, Outcome.WARN), (1.0000001, Outcome.FAIL)],
)
def test_half_of_a_limit_warns_and_all_of_it_is_allowed(error, outcome):
    found = findings(SCORE, scores([error] * 100, expected=0.0), max=1.0)
    assert found["golden.single.score.max"].outcome is outcome


def test_only_what_is_declared_is_judged():
    assert set(findings(SCORE, scores([0.0] * 100), p99=1.0)) == {
        "golden.single.answers",
        "golden.single.score",
        "golden.single.score.p99",
    }


def test_what_cannot_be_compared_is_left_to_its_own_finding():
    pairs = [*scores([0.0] * 100), ({"score": 0.5}, {"score": "0.5"})]
    found = findings(SCORE, pairs, bias=1e-7)
    assert found["golden.single.score"].outcome is Outcome.FAIL
    assert (found["golden.single.score.bias"].outcome, found["golden.single.score.bias"].samples) == (
        Outcome.PASS,
        100,
    )


def test_cases_without_an_answer_or_without_the_output_are_left_out():
    made = evidence(SCORE, scores([0.0] * 3))
    first, second, third = made.cases
    made = made.model_copy(
        update={
            "cases": (
                first.model_copy(update={"problem": "HTTP 500", "observed": {}}),
                second.model_copy(update={"missing": {"score": "nothing"}, "observed": {}}),
                third,
            )
        }
    )
    held = GoldenLimits(errors={"score": ErrorLimits(max=1.0, least=1)})
    found = {finding.id: finding for finding in judge_cases("golden.single", made, held)}
    assert found["golden.single.score.max"].samples == 1


def test_a_place_with_just_the_least_number_counts():
    bias = findings(CLASSES, split([1e-6] * 100), bias=1e-7, least=100)["golden.single.p.bias"]
    assert (bias.outcome, bias.samples) == (Outcome.FAIL, 100)


def test_an_answer_that_cannot_be_read_hides_none_of_those_after_it():
    pairs = [({"score": 0.5}, {"score": "0.5"}), *scores([1e-6] * 100)]
    assert findings(SCORE, pairs, bias=1e-7)["golden.single.score.bias"].samples == 100


def test_places_that_are_not_finite_have_no_error():
    outputs = {"score": output(name="score", dtype="float64", nonfinite="strings")}
    pairs = [
        ({"score": "Infinity"}, {"score": 1.0}),
        ({"score": 1.0}, {"score": "Infinity"}),
        ({"score": "NaN"}, {"score": "NaN"}),
        *scores([0.0] * 100),
    ]
    found = findings(outputs, pairs, bias=1e-7, max=1e-7)
    assert found["golden.single.score.bias"].outcome is Outcome.PASS
    assert found["golden.single.score.max"].samples == 100


def test_errors_too_large_for_a_double_to_both_sides_are_a_bias():
    pairs = [({"score": -1e308}, {"score": 1e308}), ({"score": 1e308}, {"score": -1e308})]
    assert findings(SCORE, pairs, bias=1e300, least=1)["golden.single.score.bias"].outcome is Outcome.FAIL


def test_the_mean_of_one_is_that_one():
    found = findings(SCORE, scores([0.25]), bias=1.0, least=1)["golden.single.score.bias"]
    assert found.observed == 0.25


def test_no_elements_have_no_error():
    found = findings(SCORE, [({"score": 0.5}, {"score": None})], bias=1.0, p50=1.0, least=1)
    for measure in ("bias", "p50"):
        finding = found[f"golden.single.score.{measure}"]
        assert (finding.outcome, finding.observed, finding.samples) == (Outcome.INCONCLUSIVE, 0.0, 0)


@pytest.mark.parametrize(
    ("limit", "outcome"), [(4.0, Outcome.PASS), (1.5, Outcome.WARN), (0.5, Outcome.FAIL)]
)
def test_half_is_that_of_the_limit(limit, outcome):
    finding = findings(SCORE, scores([1.0] * 100, expected=0.0), p50=limit)["golden.single.score.p50"]
    assert finding.outcome is outcome
    how = "beyond" if outcome is Outcome.FAIL else "within"
    assert finding.message == f"p50 of the error is 1, {how} {limit:g}, over 100 elements"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=8))
def test_any_finite_errors_are_judged_without_an_exception(values):
    pairs = [({"score": -value}, {"score": value}) for value in values]
    found = findings(SCORE, pairs, bias=1.0, p50=1.0, p99=1.0, max=1.0, least=1)
    worst = max((abs(2 * value) for value in values), default=0)
    assert (found["golden.single.score.max"].outcome is Outcome.FAIL) == (worst > 1)
    if worst <= 1 and values:
        assert found["golden.single.score.bias"].outcome is not Outcome.FAIL


@given(st.floats(1e-9, 4e-6), st.integers(100, 300))
def test_any_bias_beyond_its_limit_is_caught_and_any_within_is_not(bias, count):
    found = findings(SCORE, scores([bias] * count), bias=1e-6)
    assert found["golden.single.score"].outcome is not Outcome.FAIL
    if abs(bias - 1e-6) > 1e-12:
        assert (found["golden.single.score.bias"].outcome is Outcome.FAIL) == (bias > 1e-6)
