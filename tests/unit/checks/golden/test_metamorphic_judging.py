"""Whether the same inputs got the same answers, judged; and the inputs, read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.metamorphic.check import GoldenMetamorphic
from harness.checks.golden.metamorphic.evidence import MetamorphicEvidence, Relation, Said
from harness.checks.golden.metamorphic.inputs import load_inputs
from harness.checks.golden.metamorphic.judging import judge_metamorphic
from harness.checks.golden.settings import MetamorphicSettings, OutputSettings
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.model import Outcome

SCORE = OutputSettings(pointer="/score", dtype="float64")


def evidence(first, again, name="repeat"):
    def said(values):
        return tuple(value if isinstance(value, Said) else Said(outputs={"score": value}) for value in values)

    return MetamorphicEvidence(
        expected=1,
        executed=1,
        source="inputs.jsonl",
        inputs=tuple(f"line {number}" for number in range(1, len(first) + 1)),
        outputs={"score": SCORE},
        first=said(first),
        relations=(Relation(name=name, answers=said(again)),),
    )


def outcomes(first, again, limits=None):
    found = judge_metamorphic(evidence(first, again), limits or GoldenLimits())
    return {each.id.rpartition(".")[2]: each.outcome for each in found}


def test_equal_answers_pass_and_another_fails():
    assert outcomes([1.0, 2.0], [1.0, 2.0]) == {"answers": Outcome.PASS, "repeat": Outcome.PASS}
    assert outcomes([1.0, 2.0], [1.0, 2.5])["repeat"] is Outcome.FAIL


def test_repeats_may_differ_as_declared():
    limits = GoldenLimits.model_validate({"repeats": {"score": {"atol": 0.5}}})
    assert outcomes([1.0, 2.0], [1.0, 2.5], limits)["repeat"] is Outcome.PASS
    assert outcomes([1.0, 2.0], [1.0, 2.6], limits)["repeat"] is Outcome.FAIL


def test_an_input_that_is_answered_by_itself_only_fails():
    [_, found] = judge_metamorphic(evidence([1.0], [Said(problem="HTTP 500")]), GoldenLimits())
    assert found.outcome is Outcome.FAIL
    assert found.message == "1 of 1 inputs are answered otherwise; line 1: HTTP 500"


def test_too_few_answers_are_no_pass():
    assert outcomes([1.0, 2.0], [1.0])["repeat"] is Outcome.INCONCLUSIVE
    assert outcomes([], []) == {"answers": Outcome.INCONCLUSIVE, "repeat": Outcome.INCONCLUSIVE}
    unusable = outcomes([1.0, "x"], [1.0, "x"])
    assert unusable == {"answers": Outcome.FAIL, "repeat": Outcome.INCONCLUSIVE}


@given(
    st.lists(st.one_of(st.floats(allow_nan=False), st.text(), st.none(), st.lists(st.integers())), max_size=5)
)
def test_the_judge_is_total_and_what_is_like_itself_never_fails(values):
    found = judge_metamorphic(evidence(values, values), GoldenLimits())
    assert found[1].outcome is not Outcome.FAIL


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
[golden.metamorphic]
file = "inputs.jsonl"
pointer = "/body/x"
most = 10
"""


@pytest.fixture
def suite(tmp_path):
    lines = [json.dumps({"body": {"x": number}}) + "\n" for number in range(100)]
    (tmp_path / "inputs.jsonl").write_text("".join(lines))
    return parse_suite(GATE, tmp_path / "gate.toml")


def test_inputs_are_a_seeded_sample(suite):
    golden = suite.config.golden
    first, again, other = (load_inputs(suite, golden, golden.metamorphic, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(first.cases) == 10
    assert all(case.id == f"line {case.input + 1}" for case in first.cases)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "inputs.jsonl: line 1: not JSON"),
        ('{"body": {}}', "inputs.jsonl: line 1: nothing at '/body/x'"),
        ('{"body": {"x": 1}}', "1 inputs have nothing to be held against"),
        ("", "0 inputs have nothing to be held against"),
    ],
)
def test_mistakes_in_the_inputs_are_named(suite, tmp_path, text, message):
    (tmp_path / "inputs.jsonl").write_text(text)
    with pytest.raises(ConfigError, match=message):
        GoldenMetamorphic().verify_inputs(suite, suite.config.golden)


def test_a_size_is_named_once():
    with pytest.raises(ValueError, match="names one twice"):
        MetamorphicSettings(sizes=(2, 2))
