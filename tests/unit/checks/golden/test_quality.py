"""The quality of a model on labelled cases: limits, margins to the reference, and mistakes in the file."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.golden.asking import Answer
from harness.checks.golden.quality.check import GoldenQuality, read
from harness.checks.golden.quality.evidence import Answered, Judged, QualityEvidence
from harness.checks.golden.quality.judging import judge_quality
from harness.checks.golden.quality.settings import QualityLimits, QualitySettings
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.model import Outcome

QUALITY = QualitySettings(label="/label", positive="ill", score="/p")
ALL = QualityLimits.model_validate(
    {
        "accuracy": {"at_least": 0.9, "margin": 0.05},
        "precision": {"at_least": 0.9, "margin": 0.05},
        "recall": {"at_least": 0.9, "margin": 0.05},
        "auc": {"at_least": 0.9, "margin": 0.05},
        "brier": {"at_most": 0.1, "margin": 0.05},
    }
)

ANY = ALL.model_copy(update={"least": 1})


def says(label, score=None):
    return Answered(label=label, score={"ill": 0.9, "well": 0.1}.get(label, 0.5) if score is None else score)


def evidence(rows, compared=True):
    """Rows of (truth, candidate, reference, times)."""
    cases = tuple(
        Judged(id=f"case-{number}", label=truth, candidate=one, reference=other if compared else None)
        for number, (truth, one, other) in enumerate(
            (truth, one, other) for truth, one, other, times in rows for _ in range(times)
        )
    )
    return QualityEvidence(
        expected=len(cases), executed=len(cases), quality=QUALITY, seed=1, compared=compared, cases=cases
    )


def outcomes(rows, limits=ANY, **options):
    found = judge_quality(evidence(rows, **options), limits)
    return {each.id.removeprefix("golden.quality."): each.outcome for each in found}


GOOD = [("ill", says("ill"), says("ill"), 100), ("well", says("well"), says("well"), 200)]


def test_a_good_model_passes_every_measure():
    found = outcomes(GOOD)
    assert set(found) == {"answers", *ALL.measures, *(f"{name}.margin" for name in ALL.measures)}
    assert set(found.values()) == {Outcome.PASS}


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        ([("ill", says("well", 0.45), says("ill"), 20), ("ill", says("ill"), says("ill"), 80)], {"recall"}),
        (
            [("well", says("ill", 0.55), says("well"), 20), ("ill", says("ill"), says("ill"), 80)],
            {"precision"},
        ),
        (
            [("ill", says("ill", 0.05), says("ill"), 60), ("ill", says("ill"), says("ill"), 40)],
            {"auc", "brier"},
        ),
    ],
)
def test_each_measure_sees_its_own_fault(rows, failed):
    found = outcomes([*rows, ("well", says("well"), says("well"), 300)])
    worse = {name for name, outcome in found.items() if outcome is Outcome.FAIL}
    assert worse == failed | {f"{name}.margin" for name in failed}


def test_a_little_worse_than_the_reference_is_within_the_margin_only_if_shown():
    little = [*GOOD, ("ill", says("well"), says("ill"), 2)]
    assert outcomes(little)["accuracy.margin"] is Outcome.PASS
    about = [*GOOD, ("ill", says("well"), says("ill"), 15)]
    assert outcomes(about)["accuracy.margin"] is Outcome.INCONCLUSIVE
    much = [*GOOD, ("ill", says("well"), says("ill"), 40)]
    assert outcomes(much)["accuracy.margin"] is Outcome.FAIL


def test_a_better_model_is_within_every_margin():
    rows = [("ill", says("ill"), says("well"), 60), *GOOD]
    assert {outcomes(rows)[f"{name}.margin"] for name in ALL.measures} == {Outcome.PASS}


def test_without_a_reference_margins_do_not_apply():
    found = outcomes(GOOD, compared=False)
    assert {found[f"{name}.margin"] for name in ALL.measures} == {Outcome.NOT_APPLICABLE}
    assert found["accuracy"] is Outcome.PASS


def test_a_case_without_prediction_fails_and_counts_as_wrong():
    lost = Answered(problem="HTTP 500")
    found = outcomes([*GOOD, ("ill", lost, says("ill"), 40)])
    assert found["answers"] is Outcome.FAIL
    assert found["recall"] is Outcome.FAIL


def test_a_reference_without_prediction_is_inconclusive():
    assert (
        outcomes([*GOOD, ("ill", says("ill"), Answered(problem="HTTP 500"), 1)])["answers"]
        is Outcome.INCONCLUSIVE
    )


def test_a_reference_that_was_not_asked_all_is_no_worse_reference():
    """It was right about each that it was asked; the candidate is worse."""
    rows = [
        ("ill", says("well"), says("ill"), 40),
        ("ill", says("ill"), says("ill"), 60),
        ("well", says("well"), says("well"), 100),
    ]
    cut = evidence(rows).cases
    cut = (*cut[:100], *(case.model_copy(update={"reference": None}) for case in cut[100:]))
    seen = evidence(rows).model_copy(update={"cases": cut})
    found = {each.id: each.outcome for each in judge_quality(seen, ALL)}
    assert found["golden.quality.answers"] is Outcome.INCONCLUSIVE
    assert {found[f"golden.quality.{name}.margin"] for name in ALL.measures} == {Outcome.INCONCLUSIVE}


def test_too_few_cases_decide_nothing():
    found = outcomes(
        [("ill", says("ill"), says("ill"), 40), ("well", says("well"), says("well"), 59)], limits=ALL
    )
    assert found == {"answers": Outcome.PASS, **dict.fromkeys(ALL.measures, Outcome.INCONCLUSIVE)}


def test_a_model_that_never_says_positive_has_no_precision_and_does_not_pass():
    found = outcomes([("ill", says("well"), says("ill"), 5), ("well", says("well"), says("well"), 300)])
    assert found["precision"] is Outcome.FAIL
    assert found["precision.margin"] is not Outcome.PASS


def test_nothing_asked_is_an_error():
    assert outcomes([]) == {"answers": Outcome.ERROR}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ill", "well"]),
            st.sampled_from([says("ill"), says("well"), says("other"), Answered(problem="p")]),
            st.sampled_from([says("ill"), says("well"), Answered(problem="p")]),
            st.just(1),
        ),
        max_size=12,
    )
)
@settings(max_examples=20)
def test_the_judge_is_total(rows):
    found = judge_quality(evidence(rows), ANY)
    assert len({each.id for each in found}) == len(found) > 0


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"label": "ill", "p": 0.5}, ""),
        ({"label": "ill"}, "nothing at '/p'"),
        ({"label": None, "p": 0.5}, "/label: null instead of a label"),
        ({"label": "ill", "p": 1.5}, "/p: no number from 0 to 1"),
        ({"label": "ill", "p": True}, "/p: no number from 0 to 1"),
    ],
)
def test_what_is_no_prediction_says_why(document, problem):
    assert problem in read(Answer(answered=True, document=document), QUALITY).problem
    assert bool(problem) == bool(read(Answer(answered=True, document=document), QUALITY).problem)


GATE = """\
schema_version = 1
name = "small"
[service]
port = 8000
ready_path = "/"
[golden]
path = "golden"
single = { path = "/one", body = { instance = "${input}" } }
[golden.outputs.label]
pointer = "/label"
dtype = "string"
[golden.quality]
label = "/label"
positive = "ill"
score = "/p"
[golden.limits.quality]
accuracy = { at_least = 0.9 }
"""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], "labelled.jsonl: line 1: not JSON"),
        ([{"id": "a"}], "line 1.label: required key is missing"),
        ([{"id": "a", "input": 1, "label": "ill"}] * 2, "line 2: id: is there twice"),
        ([], "has no case"),
        ([{"id": "a", "input": 1, "label": "ill"}], "1 of 1 cases have this label"),
        ([{"id": "a", "input": 1, "label": 0.5}], "line 1.label"),
    ],
)
def test_mistakes_in_the_labelled_cases_are_named(tmp_path, lines, message):
    folder = tmp_path / "golden"
    folder.mkdir()
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    (folder / "labelled.jsonl").write_text(text)
    suite = parse_suite(GATE, tmp_path / "gate.toml")
    with pytest.raises(ConfigError, match=message):
        GoldenQuality().verify_inputs(suite, suite.config.golden)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('positive = "ill"\n', "", "quality.score needs quality.positive"),
        (
            'score = "/p"\n[golden.limits.quality]\n',
            "[golden.limits.quality]\nauc = { at_least = 1 }\n",
            "auc needs quality.score",
        ),
        ("accuracy = { at_least = 0.9 }\n", "", "limits.quality has no measure"),
        ("{ at_least = 0.9 }", "{}", "needs at_least, margin or both"),
        (
            '[golden.quality]\nlabel = "/label"\npositive = "ill"\nscore = "/p"\n',
            "",
            "need each other",
        ),
    ],
)
def test_half_a_declaration_is_refused(tmp_path, before, after, message):
    assert before in GATE
    with pytest.raises(ConfigError, match=message):
        parse_suite(GATE.replace(before, after), tmp_path / "gate.toml")
