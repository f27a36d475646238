"""The judges on made evidence: what must fail fails, what must pass passes, and says why."""

import json
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.batch import GoldenBatch
from harness.checks.golden.concurrent import GoldenConcurrent
from harness.checks.golden.evidence import (
    BatchEvidence,
    BatchRecord,
    ConcurrentEvidence,
    GoldenEvidence,
    RecordedRequest,
)
from harness.checks.golden.header import GoldenHeader
from harness.checks.golden.limits import GoldenLimits, Tolerance
from harness.checks.golden.records import CaseRecord
from harness.checks.golden.settings import OutputSettings
from harness.checks.golden.single import GoldenSingle
from harness.model import Outcome

HEADER = GoldenHeader.model_validate(
    {
        "schema_version": 1,
        "producer": {
            "name": "p",
            "version": "1",
            "kind": "script",
            "date": "2026-11-01",
            "environment": "python",
        },
        "model": {"name": "m", "version": "1", "sha256": "0" * 64},
        "dataset": {"name": "d", "sha256": "0" * 64},
        "cases": {"file": "cases.jsonl", "sha256": "0" * 64, "count": 4},
    }
)
OUTPUTS = {
    "label": OutputSettings(pointer="/label", dtype="string"),
    "score": OutputSettings(pointer="/score", dtype="float32"),
}
REQUEST = RecordedRequest(
    base_url="http://127.0.0.1:1",
    method="POST",
    path="/ask",
    headers={"X-Token": "$GATE_KEY_DEFAULT"},
)
LIMITS = GoldenLimits(outputs={"score": Tolerance(atol=1e-3)})


def cases(count=4):
    return [
        CaseRecord(
            id=f"row-{number}",
            expected={"label": f"label-{number}", "score": number / 10},
            observed={"label": f"label-{number}", "score": number / 10},
            body=json.dumps({"x": number}),
        )
        for number in range(count)
    ]


def changed(number, **observed):
    made = cases()
    made[number] = made[number].model_copy(update={"observed": {**made[number].observed, **observed}})
    return made


def evidence_of(made):
    return GoldenEvidence(
        expected=len(made),
        executed=len(made),
        header=HEADER,
        outputs=OUTPUTS,
        request=REQUEST,
        cases=tuple(made),
    )


def single(made, limits=LIMITS):
    return {finding.id: finding for finding in GoldenSingle().judge(evidence_of(made), limits)}


def batch(made, answered=(2, 2), limits=LIMITS):
    made = [case.model_copy(update={"body": ""}) for case in made]
    evidence = BatchEvidence(
        expected=len(made),
        executed=len(made),
        header=HEADER,
        outputs=OUTPUTS,
        request=REQUEST,
        cases=tuple(made),
        batches=tuple(BatchRecord(first=2 * i, asked=2, answered=n) for i, n in enumerate(answered)),
    )
    return {finding.id: finding for finding in GoldenBatch().judge(evidence, limits)}


def outcomes(findings):
    return {finding_id: finding.outcome for finding_id, finding in findings.items()}


def test_equal_answers_pass():
    assert outcomes(single(cases())) == {
        "golden.single.answers": Outcome.PASS,
        "golden.single.label": Outcome.PASS,
        "golden.single.score": Outcome.PASS,
    }


def test_a_value_beyond_tolerance_fails_its_output_alone_and_names_the_case():
    findings = single(changed(2, score=0.2 + 0.0011))
    assert outcomes(findings) == {
        "golden.single.answers": Outcome.PASS,
        "golden.single.label": Outcome.PASS,
        "golden.single.score": Outcome.FAIL,
    }
    found = findings["golden.single.score"]
    assert found.observed == pytest.approx(1.1)
    assert (found.limit, found.unit, found.samples) == (1.0, "share of tolerance", 4)
    assert "1 of 4 cases are off; worst row-2 at /score: expected 0.2, got 0.2011" in found.message
    assert found.evidence == "golden.single/evidence.json"
    assert '-H "X-Token: $GATE_KEY_DEFAULT"' in found.reproduce
    assert "http://127.0.0.1:1/ask" in found.reproduce
    assert '{"x": 2}' in found.reproduce


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"atol": 1e-3}, "error 0.5, 500 of tolerance (atol 0.001, rtol 0)"),
        ({"rtol": 0.5, "ulp": 4}, "of tolerance (atol 0, rtol 0.5 or 4 ulp)"),
        ({}, "error 0.5, exact required"),
    ],
)
def test_the_tolerance_is_told(declared, told):
    limits = GoldenLimits(outputs={"score": Tolerance(**declared)})
    found = single(changed(1, score=0.6), limits)["golden.single.score"]
    assert found.outcome is Outcome.FAIL
    assert found.message.endswith(told)


def test_more_than_half_of_the_tolerance_warns():
    assert outcomes(single(changed(2, score=0.2006)))["golden.single.score"] is Outcome.WARN
    assert outcomes(single(changed(2, score=0.2004)))["golden.single.score"] is Outcome.PASS


def test_the_same_evidence_under_another_tolerance():
    made = changed(2, score=0.2006)
    tight = GoldenLimits(outputs={"score": Tolerance(atol=1e-4)})
    assert outcomes(single(made, tight))["golden.single.score"] is Outcome.FAIL
    exact = single(made, GoldenLimits())["golden.single.score"]
    assert (exact.outcome, exact.observed, exact.limit) == (Outcome.FAIL, 1, 0)
    wide = GoldenLimits(outputs={"score": Tolerance(atol=1)})
    assert outcomes(single(made, wide))["golden.single.score"] is Outcome.PASS


@pytest.mark.parametrize("label", ["label-0", "LABEL-2", None, 2, True])
def test_a_wrong_label_fails_exactly(label):
    found = single(changed(2, label=label))["golden.single.label"]
    assert (found.outcome, found.observed, found.limit, found.unit) == (Outcome.FAIL, 1, 0, "cases off")


@pytest.mark.parametrize("score", ["0.2", None, True, [0.2], {"value": 0.2}, "NaN"])
def test_a_value_of_another_type_is_counted_not_measured(score):
    found = single(changed(2, score=score))["golden.single.score"]
    assert (found.outcome, found.observed, found.unit) == (Outcome.FAIL, 1, "cases off")


def test_a_missing_output_fails():
    made = cases()
    made[1] = made[1].model_copy(
        update={"observed": {"label": "label-1"}, "missing": {"score": "nothing at '/score'"}}
    )
    found = single(made)["golden.single.score"]
    assert found.outcome is Outcome.FAIL
    assert "row-1 at /score: nothing at '/score'" in found.message


def test_a_case_without_answer_fails_the_answers_and_leaves_the_outputs_inconclusive():
    made = cases()
    made[3] = CaseRecord(id="row-3", expected=made[3].expected, problem="HTTP 500: oops", body="{}")
    findings = single(made)
    assert outcomes(findings) == {
        "golden.single.answers": Outcome.FAIL,
        "golden.single.label": Outcome.INCONCLUSIVE,
        "golden.single.score": Outcome.INCONCLUSIVE,
    }
    assert (
        findings["golden.single.answers"].message
        == "1 of 4 cases have no usable answer; row-3: HTTP 500: oops"
    )
    assert findings["golden.single.answers"].reproduce


def whole(finding):
    return (
        finding.outcome,
        finding.message,
        finding.observed,
        finding.limit,
        finding.unit,
        finding.samples,
        finding.evidence,
        finding.reproduce,
    )


EVIDENCE = "golden.single/evidence.json"


def test_findings_on_the_answers_are_whole():
    made = cases()
    for number in (1, 3):
        made[number] = CaseRecord(id=f"row-{number}", expected=made[number].expected, problem="HTTP 500")
    assert whole(single(made)["golden.single.answers"]) == (
        Outcome.FAIL,
        "2 of 4 cases have no usable answer; row-1: HTTP 500",
        2,
        0,
        "cases without answer",
        4,
        EVIDENCE,
        "",
    )
    assert whole(single(cases())["golden.single.answers"]) == (
        Outcome.PASS,
        "4 of 4 cases have an answer",
        0,
        0,
        "cases without answer",
        4,
        EVIDENCE,
        "",
    )
    assert single([])["golden.single.answers"].message == "the golden set has no case"


def test_findings_on_an_output_are_whole():
    unanswered = [CaseRecord(id=c.id, expected=c.expected, problem="no answer") for c in cases()]
    assert whole(single(unanswered)["golden.single.score"]) == (
        Outcome.INCONCLUSIVE,
        "no answer of 4 cases to compare",
        0,
        0,
        "cases off",
        0,
        EVIDENCE,
        "",
    )
    some = [*cases(3), unanswered[3]]
    assert whole(single(some)["golden.single.score"]) == (
        Outcome.INCONCLUSIVE,
        "only 3 of 4 cases have an answer to compare; they hold",
        0.0,
        1.0,
        "share of tolerance",
        3,
        EVIDENCE,
        "",
    )
    assert whole(single(cases())["golden.single.label"]) == (
        Outcome.PASS,
        "4 cases are equal",
        0,
        0,
        "cases off",
        4,
        EVIDENCE,
        "",
    )


def test_of_equally_bad_cases_the_first_is_told():
    made = cases()
    for number in (1, 2):
        made[number] = made[number].model_copy(update={"observed": {"label": "?", "score": None}})
    found = single(made)
    assert "worst row-1 at /label: expected 'label-1', got '?'" in found["golden.single.label"].message
    assert "worst row-1 at /score: null instead of a number" in found["golden.single.score"].message


def test_no_answers_and_no_cases_never_pass():
    unanswered = [CaseRecord(id=c.id, expected=c.expected, problem="no answer") for c in cases()]
    assert Outcome.PASS not in outcomes(single(unanswered)).values()
    assert outcomes(single([]))["golden.single.answers"] is Outcome.ERROR
    assert Outcome.PASS not in outcomes(single([])).values()
    assert Outcome.PASS not in outcomes(batch([], answered=())).values()


def test_a_right_batch_passes():
    assert outcomes(batch(cases())) == {
        "golden.batch.answers": Outcome.PASS,
        "golden.batch.label": Outcome.PASS,
        "golden.batch.score": Outcome.PASS,
        "golden.batch.items": Outcome.PASS,
    }


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_items_fails(count):
    found = batch(cases(), answered=(2, count))["golden.batch.items"]
    assert found.outcome is Outcome.FAIL
    assert f"row-2: {count} items for 2 cases" in found.message


def test_items_out_of_order_are_named_as_such():
    made = cases()
    swapped = [made[0], made[1]]
    made[0] = made[0].model_copy(update={"observed": swapped[1].observed})
    made[1] = made[1].model_copy(update={"observed": swapped[0].observed})
    found = batch(made)
    assert found["golden.batch.items"].outcome is Outcome.FAIL
    assert "row-0 got the answer of row-1" in found["golden.batch.items"].message
    assert found["golden.batch.score"].outcome is Outcome.FAIL


def test_a_wrong_value_is_no_matter_of_order():
    findings = batch(changed(2, score=0.9))
    assert findings["golden.batch.items"].outcome is Outcome.PASS
    assert findings["golden.batch.score"].outcome is Outcome.FAIL
    assert findings["golden.batch.score"].reproduce == ""


def test_of_two_labels_a_wrong_one_is_no_matter_of_order():
    labels = ["yes", "no", "yes", "no", "yes", "no"]
    swapped = ["no", "yes", "yes", "no", "yes", "no"]
    made = [
        case.model_copy(
            update={
                "expected": {"label": right, "score": 0.0},
                "observed": {"label": answered, "score": 0.0},
            }
        )
        for case, right, answered in zip(cases(6), labels, swapped, strict=True)
    ]
    found = outcomes(batch(made, answered=(2, 2, 2)))
    assert found["golden.batch.items"] is Outcome.PASS
    assert found["golden.batch.label"] is Outcome.FAIL
    assert failed(concurrent(made)) == {"golden.concurrent.label"}


def test_two_golden_cases_that_are_alike_hide_no_crossed_answers():
    made = cases(8)
    made[7] = made[7].model_copy(update={"expected": made[0].expected, "observed": made[0].observed})
    turned = [
        case.model_copy(update={"observed": other.observed})
        for case, other in zip(made[:4], [*made[1:4], made[0]], strict=True)
    ]
    assert "golden.concurrent.own" in failed(concurrent([*turned, *made[4:], *made]))


def test_one_answer_that_is_anothers_alone_is_enough_among_many_that_are_alike():
    """As where one buffer is shared: its answers come in runs, and many may be a saturated one."""
    made = cases(50)
    alike = made[0].expected
    saturated = [case.model_copy(update={"expected": alike, "observed": alike}) for case in made[:4]]
    got_it = [case.model_copy(update={"observed": alike}) for case in made[4:44]]
    rest = made[44:]
    assert "golden.concurrent.own" not in failed(concurrent([*saturated, *got_it, *rest]))
    alone = rest[0].model_copy(update={"observed": rest[1].observed})
    assert "golden.concurrent.own" in failed(concurrent([*saturated, *got_it, alone, *rest[1:]]))


def test_of_very_many_wrong_answers_only_the_first_are_looked_at():
    made = cases(70)
    turned = [case.model_copy(update={"observed": other.observed}) for case, other in pairwise(made[:65])]
    nowhere = [case.model_copy(update={"observed": {"label": "?", "score": 99.0}}) for case in made[64:]]
    found = batch([*turned, *nowhere], answered=(2,) * 35)
    assert found["golden.batch.items"].outcome is Outcome.PASS  # no batch of two holds both
    outcomes = concurrent([*turned, *nowhere, *made])
    assert outcomes["golden.concurrent.own"] is Outcome.FAIL


def test_batches_without_answer_leave_the_items_inconclusive():
    assert batch(cases(), answered=(2, None))["golden.batch.items"].outcome is Outcome.INCONCLUSIVE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_evidence_survives_its_files_whatever_was_observed(value):
    evidence = evidence_of(changed(0, score=value))
    with TemporaryDirectory() as folder:
        evidence.save(Path(folder), str)
        again = GoldenEvidence.load(Path(folder))
        assert repr(again.cases[0].observed["score"]) == repr(value)
        assert GoldenSingle().judge(again, LIMITS) == GoldenSingle().judge(evidence, LIMITS)


# --- many at once


def concurrent(made, limits=LIMITS):
    evidence = ConcurrentEvidence(**dict(evidence_of(made)), together=len(made))
    return {finding.id: finding.outcome for finding in GoldenConcurrent().judge(evidence, limits)}


def failed(outcomes):
    return {name for name, outcome in outcomes.items() if outcome is Outcome.FAIL}


def test_the_same_right_answers_twice_pass():
    outcomes = concurrent([*cases(), *reversed(cases())])
    assert set(outcomes.values()) == {Outcome.PASS}
    assert {"golden.concurrent.own", "golden.concurrent.repeats"} <= outcomes.keys()


def test_an_answer_that_is_anothers_is_crossed():
    swapped = cases()
    swapped[0], swapped[1] = (
        swapped[0].model_copy(update={"observed": swapped[1].observed}),
        swapped[1].model_copy(update={"observed": swapped[0].observed}),
    )
    assert "golden.concurrent.own" in failed(concurrent([*cases(), *swapped]))


def test_one_case_right_once_and_once_another_answer_is_crossed_too():
    stolen = cases()
    stolen[2] = stolen[2].model_copy(update={"observed": cases()[3].observed})
    outcomes = failed(concurrent([*cases(), *stolen]))
    assert {"golden.concurrent.own", "golden.concurrent.repeats"} <= outcomes


def test_a_biased_answer_is_nobodys():
    biased = changed(1, score=0.15)
    assert failed(concurrent([*biased, *biased])) == {"golden.concurrent.score"}


def test_answers_within_tolerance_that_differ_between_repeats_fail_as_repeats_alone():
    noisy = changed(1, score=0.1 + 1e-7)
    assert failed(concurrent([*cases(), *noisy])) == {"golden.concurrent.repeats"}
    allowed = GoldenLimits(outputs=LIMITS.outputs, repeats={"score": Tolerance(atol=1e-6)})
    assert failed(concurrent([*cases(), *noisy], allowed)) == set()


def test_cases_answered_once_say_nothing_of_repeats():
    assert concurrent(cases())["golden.concurrent.repeats"] is Outcome.INCONCLUSIVE


def test_no_answer_at_all_is_never_a_pass():
    broken = [case.model_copy(update={"problem": "no answer", "observed": {}}) for case in cases() * 2]
    outcomes = concurrent(broken)
    assert outcomes["golden.concurrent.answers"] is Outcome.FAIL
    assert Outcome.PASS not in outcomes.values()


@given(st.lists(st.sampled_from(range(4)), min_size=1, max_size=12), st.floats(-1, 1))
def test_any_noise_beyond_both_tolerances_fails(picked, noise):
    made = [cases()[number] for number in picked]
    score = made[0].expected["score"] + noise
    noisy = made[0].model_copy(update={"observed": {**made[0].observed, "score": score}})
    outcomes = concurrent([*made, noisy])
    assert ("golden.concurrent.repeats" in failed(outcomes)) == (score != made[0].expected["score"])
    assert ("golden.concurrent.score" in failed(outcomes)) == (abs(score - made[0].expected["score"]) > 1e-3)
