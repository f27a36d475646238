import math
from dataclasses import replace

import pytest
from golden_evidence import evidence, output
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.judge import judge_cases
from harness.checks.golden.limits import GoldenLimits
from harness.reports.figures.golden import BINS, LEAST, MOST_ROWS, OutputErrors, errors_of, golden_errors

LIMITS = GoldenLimits.model_validate({"outputs": {"value": {"atol": 1.0}}})
ID = "golden.single"
finite = st.floats(-1e30, 1e30)


def of_values(pairs):
    made = evidence(
        {"value": output("float64"), "label": output("string", "label")},
        [({"value": one, "label": "a"}, {"value": other, "label": str(other)[:1]}) for one, other in pairs],
    )
    return made, errors_of(ID, made, LIMITS)


@given(st.lists(st.tuples(finite, finite | st.integers(-2, 2).map(float)), min_size=1, max_size=30))
def test_every_case_is_drawn_once_on_its_side_of_the_tolerance(drawn, pairs):
    made, outputs = of_values(pairs)
    drawn(golden_errors(outputs))
    value, label = outputs
    for each in outputs:
        assert sum(each.counts) + each.equal + each.off == each.cases == len(pairs)
    limit = BINS * 4 // 5
    assert sum(value.counts[limit:]) == value.beyond == sum(abs(a - b) > 1 for a, b in pairs)
    assert not any(label.counts)
    judged = {found.id: found for found in judge_cases(ID, made, LIMITS)}
    if not value.off:
        assert value.worst == judged[f"{ID}.value"].observed
    assert (value.beyond + value.off > 0) is (judged[f"{ID}.value"].outcome.value == "fail")


def outputs_of(worst):
    return [
        OutputErrors(
            check_id=ID,
            name=f"output-{number}</text><script>",
            tolerance="atol 1",
            counts=(1,) * BINS,
            equal=number,
            off=0,
            beyond=0,
            worst=each,
            cases=BINS + number,
            unanswered=0,
            of=BINS + number,
        )
        for number, each in enumerate(worst)
    ]


def test_of_very_many_outputs_the_worst_are_drawn(drawn):
    figure = golden_errors(outputs_of([*[0.1] * 30, 5.0, math.inf]))
    elements = drawn(figure)
    assert len(figure.rows) == MOST_ROWS
    assert figure.note == "8 more outputs are no worse and are not drawn."
    assert {row[-1] for row in figure.rows} == {"0.1", "5", "0 off"}
    assert not any(each.tag == "script" for each in elements)


@pytest.mark.parametrize("worst", [0.0, 1e-30, LEAST, 1.0, 1e30, math.inf])
def test_any_share_of_a_tolerance_has_a_place(drawn, worst):
    drawn(golden_errors(outputs_of([worst])))


def test_answers_that_are_missing_are_not_drawn_as_equal():
    made = evidence({"value": output()}, [({"value": 1.0}, {"value": 1.0})])
    lost = made.model_copy(update={"cases": (made.cases[0].model_copy(update={"problem": "no answer"}),)})
    (only,) = errors_of(ID, lost, LIMITS)
    assert (only.cases, only.of, only.equal, only.unanswered) == (0, 1, 0, 1)
    assert golden_errors([only]).rows[0][-1] == "no answer"


def test_answers_that_are_missing_are_counted_in_drawing_table_and_description(drawn):
    made = evidence({"value": output()}, [({"value": 1.0}, {"value": 1.0})] * 5)
    cases = [case.model_copy(update={"problem": "500"} if at else {}) for at, case in enumerate(made.cases)]
    (only,) = errors_of(ID, made.model_copy(update={"cases": cases}), LIMITS)
    assert (only.cases, only.unanswered) == (1, 4)
    figure = golden_errors([only])
    assert "4 no usable answer" in [each.text for each in drawn(figure)]
    assert dict(zip(figure.columns, figure.rows[0], strict=True))["No usable answer"] == "4"
    assert "4 cases had no usable answer" in figure.description


def test_an_output_that_was_not_answered_is_drawn_however_many_there_are():
    silent = replace(outputs_of([0.0])[0], name="silent", unanswered=3)
    figure = golden_errors([*outputs_of([0.5] * 40), silent])
    assert figure.rows[-1][1] == "silent"


def test_where_all_answered_nothing_is_said_of_it(drawn):
    figure = golden_errors(outputs_of([0.5]))
    assert not [each for each in drawn(figure) if "no usable answer" in (each.text or "")]
    assert "no usable answer" not in figure.description
