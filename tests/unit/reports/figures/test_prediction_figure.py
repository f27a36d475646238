import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.drift.evidence import Answered, Compared, DriftEvidence
from harness.checks.drift.judging import judge_drift
from harness.checks.drift.settings import DriftLimits, PredictionSettings
from harness.reports.figures.predictions import predictions, predictions_of
from harness.stats.drift import population_stability_index

ID = "drift.predictions"
DECLARED = {
    "label": PredictionSettings(pointer="/label", kind="category"),
    "score": PredictionSettings(pointer="/score", kind="number", tolerance=1e-3, bins=20),
}
LIMITS = DriftLimits(min_requests=1)
said = st.tuples(
    st.text(max_size=3) | st.booleans() | st.integers(-3, 3) | st.just("</text><script>alert(1)"),
    st.floats(-1e12, 1e12) | st.sampled_from([0.0, 0.5]),
)


def evidence_of(pairs):
    def answered(one):
        return Answered(predictions={"label": one[0], "score": one[1]})

    return DriftEvidence(
        expected=len(pairs),
        executed=len(pairs),
        source="traffic.jsonl",
        available=len(pairs),
        seed=3,
        predictions=DECLARED,
        slices={},
        requests=tuple(
            Compared(id=f"line {number}", slices={}, reference=answered(one), candidate=answered(other))
            for number, (one, other) in enumerate(pairs, 1)
        ),
    )


@given(st.lists(st.tuples(said, said), min_size=1, max_size=80))
def test_any_predictions_are_drawn_in_the_bins_that_are_judged(drawn, pairs):
    evidence = evidence_of(pairs)
    findings = judge_drift(evidence, LIMITS)
    for each in predictions_of(evidence):
        assert sum(each.reference) == pytest.approx(1)
        assert sum(each.candidate) == pytest.approx(1)
        counts = [np.array(side) * each.requests for side in (each.reference, each.candidate)]
        judged = next(found for found in findings if found.id == f"{ID}.{each.name}.psi")
        assert float(population_stability_index(*counts)) == pytest.approx(judged.observed, abs=1e-9)
        figure = predictions(each, ID, findings)
        assert not any(element.tag == "script" for element in drawn(figure))
        assert "population stability index" in figure.note


def test_a_shift_is_told_in_words_and_figures():
    pairs = [(("a", 0.1), ("a", 0.1))] * 60 + [(("a", 0.2), ("b", 0.9))] * 40
    label, _ = predictions_of(evidence_of(pairs))
    figure = predictions(label, ID, ())
    assert figure.description.endswith("The largest change is -40.00%, of 'a'.")
    assert figure.rows == (
        ("'a'", "100.00%", "60.00%", "-40.00%"),
        ("any other", "0.00%", "40.00%", "+40.00%"),
    )
    assert figure.note == ""


def test_without_two_predictions_there_is_nothing_to_draw():
    lost = evidence_of([(("a", 0.1), ("a", 0.1))])
    problem = lost.requests[0].model_copy(update={"candidate": Answered(problem="timed out")})
    with pytest.raises(ValueError, match="predicted by both"):
        predictions_of(lost.model_copy(update={"requests": (problem,)}))
