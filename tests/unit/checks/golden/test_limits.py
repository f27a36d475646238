"""Limits of a device and a pair of execution providers, and mistakes in the declarations."""

import pytest
from golden_evidence import evidence, header, output
from pydantic import ValidationError

from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.single import GoldenSingle
from harness.model import Outcome

CPU, CUDA, TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt"))
LIMITS = GoldenLimits.model_validate(
    {
        "outputs": {"v": {"atol": 1e-6}, "w": {"atol": 1e-6}},
        "repeats": {"v": {"atol": 1e-7}},
        "overrides": [
            {"device": "gpu", "outputs": {"v": {"atol": 1e-4}}, "errors": {"v": {"bias": 1e-5}}},
            {"device": "gpu", "provider": CUDA, "against": CPU, "outputs": {"v": {"atol": 1e-3}}},
            {"provider": TENSORRT, "repeats": {"v": {"atol": 1e-2}}},
        ],
    }
)


@pytest.mark.parametrize(
    ("device", "provider", "against", "atol"),
    [
        ("cpu", CPU, CPU, 1e-6),
        ("cpu", CUDA, CPU, 1e-6),
        ("gpu", None, None, 1e-4),
        ("gpu", CUDA, None, 1e-4),
        ("gpu", CUDA, CUDA, 1e-4),
        ("gpu", CUDA, CPU, 1e-3),
        ("gpu", TENSORRT, CPU, 1e-4),
    ],
)
def test_the_last_override_that_holds_counts(device, provider, against, atol):
    held = LIMITS.on(device, provider, against)
    assert held.tolerance("v").atol == atol
    assert held.tolerance("w").atol == 1e-6
    assert held.overrides == ()
    assert ("v" in held.errors) == (device == "gpu")


def test_every_table_can_be_overridden():
    assert LIMITS.on("gpu", TENSORRT, CPU).repeat_tolerance("v").atol == 1e-2
    assert LIMITS.on("gpu", CUDA, CPU).repeat_tolerance("v").atol == 1e-7


@pytest.mark.parametrize(
    ("ran", "produced", "outcome"),
    [
        ({"device": "gpu", "execution_provider": CUDA}, CPU, Outcome.PASS),
        ({"device": "gpu", "execution_provider": CUDA}, None, Outcome.FAIL),
        # A candidate on a CPU that claims CUDA gets nothing for it.
        ({"device": "cpu", "execution_provider": CUDA}, CPU, Outcome.FAIL),
    ],
)
def test_a_judge_reads_the_pair_from_the_evidence(ran, produced, outcome):
    made = evidence(
        {"v": output(name="v")},
        [({"v": 0.5}, {"v": 0.5003})],
        header=header(execution_provider=produced),
        **ran,
    )
    found = {finding.id: finding.outcome for finding in GoldenSingle().judge(made, LIMITS)}
    assert found["golden.single.v"] is outcome


def settings(outputs, **more):
    return GoldenSettings.model_validate(
        {
            "path": "golden",
            "single": {"path": "/ask", "body": "${input}"},
            "outputs": {name: {"pointer": f"/{name}", **declared} for name, declared in outputs.items()},
            **more,
        }
    )


SCORES = {"dtype": "float32", "keys": ["a", "b", "c"]}
LABEL = {"dtype": "string", "argmax_of": "s"}


@pytest.mark.parametrize(
    ("outputs", "more", "problem"),
    [
        ({"v": {"dtype": "int64", "nonfinite": "null"}}, {}, "a int64 is always finite"),
        ({"v": {"dtype": "string", "nonfinite": "strings"}}, {}, "a string is always finite"),
        ({"l": LABEL}, {}, r"outputs\.l\.argmax_of is 's'"),
        ({"l": LABEL, "s": {"dtype": "float32"}}, {}, r"outputs\.l\.argmax_of is 's'"),
        ({"l": LABEL, "s": {"dtype": "string", "keys": ["a"]}}, {}, r"outputs\.l\.argmax_of is 's'"),
        ({"l": LABEL, "s": {**SCORES, "shape": [2]}}, {}, r"outputs\.l\.argmax_of is 's'"),
        ({"l": LABEL, "s": {"dtype": "float32", "shape": [2, 2]}}, {}, r"outputs\.l\.argmax_of is 's'"),
        ({"l": LABEL, "s": {"dtype": "float32", "shape": [3]}}, {}, "cannot be the argmax"),
        ({"l": {**LABEL, "dtype": "int64"}, "s": SCORES}, {}, "cannot be the argmax"),
        ({"l": {**LABEL, "shape": [1]}, "s": SCORES}, {}, "cannot be the argmax"),
        ({"l": {**LABEL, "dtype": "bool"}, "s": SCORES}, {}, "cannot be the argmax"),
        ({"s": SCORES, "s.bias": SCORES}, {}, "the name of a finding of 's'"),
        ({"members": SCORES}, {}, "the name of another finding"),
        ({"s": SCORES}, {"limits": {"classes": {"s": {"top_k": 3}}}}, "there are 3 classes: give fewer"),
        ({"v": {"dtype": "float32"}}, {"limits": {"classes": {"v": {}}}}, "one number a class"),
        ({"v": {"dtype": "string"}}, {"limits": {"errors": {"v": {}}}}, "not numbers"),
        ({"v": {"dtype": "int64"}}, {"limits": {"outputs": {"v": {"ulp": 1}}}}, "a int64 has no last place"),
        ({"s": SCORES}, {"limits": {"errors": {"t": {}}}}, r"limits\.errors names \['t'\]"),
        (
            {"s": SCORES},
            {"limits": {"overrides": [{"device": "gpu", "outputs": {"t": {}}}]}},
            r"limits\.overrides\.0\.outputs names \['t'\]",
        ),
        ({"s": SCORES}, {"limits": {"overrides": [{"outputs": {"s": {}}}]}}, "would hold for every run"),
    ],
)
def test_a_mistake_is_named(outputs, more, problem):
    with pytest.raises(ValidationError, match=problem):
        settings(outputs, **more)


def test_a_suite_that_declares_all_of_it_leaves_nothing_out():
    whole = settings(
        {"l": LABEL, "s": SCORES},
        ignored=[],
        limits={"errors": {"s": {"bias": 1e-6}}, "classes": {"s": {"top_k": 2}}},
    )
    assert whole.not_declared() == ()


def test_what_a_suite_leaves_out_is_listed():
    assert len(settings({"s": SCORES}).not_declared()) == 3
