"""What two services predicted for the same requests, judged; slices; what too few requests show."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.drift.evidence import Answered, Compared, DriftEvidence
from harness.checks.drift.judging import judge_drift, needed, share_shown
from harness.checks.drift.settings import DriftLimits, PredictionSettings, SliceSettings
from harness.model import Outcome
from harness.stats.judgement import Shown

LABEL = PredictionSettings(pointer="/label", kind="category")
SCORE = PredictionSettings(pointer="/score", kind="number", tolerance=1e-3)
LIMITS = DriftLimits()
ENOUGH = 600


def answered(**predictions):
    return Answered(predictions=predictions)


def evidence(pairs, predictions=None, slices=None, values=None, available=None):
    requests = tuple(
        Compared(
            id=f"line {number}",
            slices={} if values is None else {"size": values[number - 1]},
            reference=before,
            candidate=after,
        )
        for number, (before, after) in enumerate(pairs, 1)
    )
    return DriftEvidence(
        expected=len(requests),
        executed=len(requests),
        source="traffic.jsonl",
        available=available or len(requests),
        seed=3,
        predictions=predictions or {"label": LABEL},
        slices=slices or {},
        requests=requests,
    )


def labels(*runs):
    """Pairs of labels: (reference, candidate, how often)."""
    return [(answered(label=one), answered(label=other)) for one, other, times in runs for _ in range(times)]


def judged(*args, limits=LIMITS, **options):
    return {
        found.id.removeprefix("drift.predictions."): found
        for found in judge_drift(evidence(*args, **options), limits)
    }


def outcomes(*args, **options):
    return {name: found.outcome for name, found in judged(*args, **options).items()}


def test_services_that_predict_alike_pass():
    assert outcomes(labels(("a", "a", 400), ("b", "b", 200))) == {
        "answers": Outcome.PASS,
        "label.disagreement": Outcome.PASS,
        "label.psi": Outcome.PASS,
        "label.jensen_shannon": Outcome.PASS,
    }


def test_a_share_that_is_shown_to_be_beyond_the_limit_fails_with_its_interval():
    found = judged(labels(("a", "a", 570), ("a", "b", 30)))["label.disagreement"]
    assert found.outcome is Outcome.FAIL
    assert (found.observed, found.limit, found.samples) == (0.05, 0.01, ENOUGH)
    assert "30 of 600 requests are predicted otherwise, 3.62% to 6.72%" in found.message


def test_a_share_on_the_limit_is_inconclusive_and_says_what_it_would_take():
    found = judged(labels(("a", "a", 595), ("a", "b", 5)))["label.disagreement"]
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "requests would tell" in found.message


def test_disagreement_that_evens_out_moves_no_distribution_but_is_disagreement():
    found = outcomes(labels(("a", "a", 280), ("a", "b", 20), ("b", "b", 280), ("b", "a", 20)))
    assert found["label.disagreement"] is Outcome.FAIL
    assert found["label.psi"] is Outcome.PASS


def test_a_distribution_that_moves_fails_though_every_number_agrees_within_a_wide_tolerance():
    wide = SCORE.model_copy(update={"tolerance": 10.0})
    scores = np.linspace(0, 1, ENOUGH)
    pairs = [(answered(score=float(x)), answered(score=float(x) ** 4)) for x in scores]
    found = outcomes(pairs, predictions={"score": wide})
    assert found["score.disagreement"] is Outcome.PASS
    assert (found["score.psi"], found["score.jensen_shannon"]) == (Outcome.FAIL, Outcome.FAIL)


def test_numbers_within_tolerance_agree():
    pairs = [(answered(score=0.5), answered(score=0.5009))] * ENOUGH
    assert outcomes(pairs, predictions={"score": SCORE})["score.disagreement"] is Outcome.PASS
    pairs = [(answered(score=0.5), answered(score=0.5011))] * ENOUGH
    assert outcomes(pairs, predictions={"score": SCORE})["score.disagreement"] is Outcome.FAIL


def test_true_and_one_are_two_categories():
    assert outcomes(labels((1, True, ENOUGH)))["label.disagreement"] is Outcome.FAIL


def test_too_few_requests_are_inconclusive_whatever_they_show():
    found = judged(labels(("a", "b", 299)))
    assert found["label"].outcome is Outcome.INCONCLUSIVE
    assert "299 requests have two predictions to compare, 300 are needed" in found["label"].message
    assert "label.disagreement" not in found


def test_a_request_that_only_the_candidate_does_not_predict_fails():
    lost = (answered(label="a"), Answered(problem="HTTP 500: oops"))
    found = judged([*labels(("a", "a", ENOUGH)), lost])["answers"]
    assert found.outcome is Outcome.FAIL
    assert "1 of 601 requests from traffic.jsonl" in found.message
    assert "line 601: HTTP 500: oops" in found.message


def test_what_both_refuse_is_not_compared_and_what_only_the_reference_refuses_is_a_warning():
    refused = Answered(problem="HTTP 400: no")
    assert outcomes([*labels(("a", "a", ENOUGH)), (refused, refused)])["answers"] is Outcome.PASS
    assert outcomes([*labels(("a", "a", ENOUGH)), (refused, answered(label="a"))])["answers"] is Outcome.WARN


def test_nothing_comparable_is_no_pass():
    refused = Answered(problem="HTTP 400: no")
    assert outcomes([(refused, refused)] * ENOUGH) == {
        "answers": Outcome.INCONCLUSIVE,
        "label": Outcome.INCONCLUSIVE,
    }
    assert set(outcomes([]).values()) == {Outcome.INCONCLUSIVE}


def test_a_sample_says_of_how_many():
    assert "(a sample of 9000)" in judged(labels(("a", "a", ENOUGH)), available=9000)["answers"].message


def sliced(pairs, values, **options):
    return judged(pairs, slices={"size": SliceSettings(pointer="/size")}, values=values, **options)[
        "label.slices"
    ]


def test_the_worst_slice_is_named():
    pairs = labels(("a", "a", 950), ("a", "b", 50))
    found = sliced(pairs, [float(at) for at in range(1000)])
    assert found.outcome is Outcome.FAIL
    assert "worst of 4 slices: size from 749: 50 of 251 predicted otherwise" in found.message
    assert (found.observed, found.samples) == (50 / 251, 251)


def test_slices_are_made_of_texts_as_well():
    pairs = labels(("a", "a", 900), ("a", "b", 100))
    found = sliced(pairs, ["north"] * 900 + ["south"] * 100)
    assert found.outcome is Outcome.FAIL
    assert "size = 'south': 100 of 100" in found.message


def test_a_slice_that_is_too_small_is_not_judged_and_is_told():
    pairs = labels(("a", "a", 980), ("a", "b", 20))
    found = sliced(pairs, ["north"] * 980 + ["south"] * 20)
    assert found.outcome is Outcome.PASS
    assert "1 slices have fewer than 50 requests" in found.message
    assert sliced(pairs[-20:] * 15, [str(at) for at in range(300)]).outcome is Outcome.INCONCLUSIVE


def test_a_slice_that_no_request_has_is_inconclusive():
    found = judged(labels(("a", "a", ENOUGH)), slices={"siez": SliceSettings(pointer="/siez")})[
        "label.slices"
    ]
    assert (found.outcome, found.message) == (
        Outcome.INCONCLUSIVE,
        "no request has a value at the pointer of siez",
    )


def test_a_slice_too_small_to_be_shown_within_is_inconclusive():
    found = sliced(labels(("a", "a", 960), ("a", "b", 2), ("b", "b", 58)), ["north"] * 960 + ["south"] * 60)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "requests in each slice would tell" in found.message


@given(st.integers(0, 400), st.integers(1, 400), st.floats(0.001, 0.9))
def test_what_is_shown_of_a_share_fits_its_bounds(hits, samples, limit):
    hits = min(hits, samples)
    shown, lower, upper = share_shown(hits, samples, limit, 0.05)
    assert 0 <= lower <= hits / samples <= upper <= 1
    assert (shown is Shown.WITHIN) == (upper <= limit)
    assert (shown is Shown.BEYOND) == (lower > limit)


def test_a_share_on_its_limit_never_tells():
    assert needed(0.01, 0.01, 0.05) == ""
    assert needed(0.0, 0.01, 0.05) == "; about 512 requests would tell"


@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from("ab"), st.integers(0, 2), st.booleans(), st.none()),
            st.one_of(st.sampled_from("ab"), st.integers(0, 2), st.booleans(), st.none()),
            st.one_of(st.floats(-1e9, 1e9), st.sampled_from(["n", "s"]), st.booleans()),
        ),
        max_size=60,
    )
)
def test_the_judge_is_total_and_finds_nothing_in_equal_answers(rows):
    limits = LIMITS.model_copy(update={"min_requests": 1, "min_slice": 1})

    def side(value):
        return Answered(problem="none") if value is None else answered(label=value)

    pairs = [(side(one), side(other)) for one, other, _ in rows]
    values = [value for _, _, value in rows]
    found = judged(pairs, slices={"size": SliceSettings(pointer="/s")}, values=values, limits=limits)
    assert found
    alike = judged(
        [(one, one) for one, _ in pairs],
        slices={"size": SliceSettings(pointer="/s")},
        values=values,
        limits=limits,
    )
    assert Outcome.FAIL not in {each.outcome for each in alike.values()}


def test_unfit_settings_are_refused():
    with pytest.raises(ValueError, match="tolerance and bins are for kind"):
        PredictionSettings(pointer="/label", kind="category", tolerance=0.1)
