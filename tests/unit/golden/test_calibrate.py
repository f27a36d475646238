"""What calibration proposes, and what it says no tolerance mends."""

import tomllib

import pytest

from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.settings import GoldenSettings, OutputSettings
from harness.golden.calibrate import Calibrated, Configuration, snippet, unmendable
from harness.golden.envelope import Envelope

SETTINGS = GoldenSettings.model_construct(
    outputs={
        "label": OutputSettings(pointer="/label", dtype="string"),
        "count": OutputSettings(pointer="/count", dtype="int64"),
        "score": OutputSettings(pointer="/score", dtype="float32"),
    }
)
RIGHT = {"label": "a", "count": 3, "score": 1.0}


def calibrated(device="cpu", **observed):
    outputs = {name: Envelope() for name in RIGHT}
    for name, expected in RIGHT.items():
        outputs[name].add(expected, expected)
        outputs[name].add(expected, observed.get(name, expected))
    return Calibrated(Configuration(device, None, 1), outputs)


@pytest.mark.parametrize(
    ("observed", "beyond", "proposed"),
    [
        ({}, [], False),
        ({"label": "b"}, ["label"], False),
        ({"count": 4}, ["count"], False),
        ({"score": float("nan")}, ["score"], False),
        ({"score": 1.5}, [], True),
        ({"score": 1.5, "label": "b"}, ["label"], True),
    ],
)
def test_what_no_tolerance_mends_is_named(observed, beyond, proposed):
    results = [calibrated(), calibrated(**observed)]
    assert unmendable(results, SETTINGS) == beyond
    assert (snippet(results, SETTINGS, 2.0, "a test") != "") is proposed


def limits_of(*results):
    document = tomllib.loads(snippet(list(results), SETTINGS, 2.0, "a test"))
    return GoldenLimits.model_validate(document["golden"]["limits"])


def test_one_device_gets_limits_of_outputs():
    limits = limits_of(calibrated(score=1.5), calibrated(score=1.25))
    assert limits.overrides == ()
    assert limits.outputs["score"].source == "a test under 2 configurations"


def test_each_of_several_devices_gets_limits_of_its_own():
    limits = limits_of(calibrated(score=1.25), calibrated("gpu", score=1.5))
    assert limits.outputs == {}
    cpu, gpu = (limits.on(device, None, None).tolerance("score") for device in ("cpu", "gpu"))
    assert 0 < cpu.rtol * 2 == pytest.approx(gpu.rtol, rel=0.1)


def test_a_device_that_was_never_off_gets_no_tolerance_from_another():
    limits = limits_of(calibrated(), calibrated("gpu", score=1.5))
    assert [override.device for override in limits.overrides] == ["gpu"]
    assert limits.on("cpu", None, None).tolerance("score").rtol == 0
