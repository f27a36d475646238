"""The artifact for whole numbers is what its script writes, and tells apart what no double does."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from harness.checks.golden.golden_set import load_golden_set
from harness.config.suite import load_suite
from harness.model import Family
from reference_service.model.artifact import load_artifact
from reference_service.model.inference import Model
from reference_service.model.tensors import TensorReader

ROOT = Path(__file__).parents[3]
ARTIFACT = ROOT / "reference_service" / "artifacts" / "check-digits"
LEAST_LOST = 16


@pytest.fixture(scope="module")
def script():
    """scripts/check_digits.py as a module."""
    spec = importlib.util.spec_from_file_location("check_digits", ROOT / "scripts" / "check_digits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def suite():
    return load_suite(ROOT / "gate.check-digits.toml")


def test_what_is_committed_is_what_the_script_writes(script):
    for path, content in script.published().items():
        assert path.read_bytes() == content, "meant? python scripts/check_digits.py"


def test_the_suite_is_of_the_artifact(suite):
    manifest = load_artifact(ARTIFACT).manifest
    assert suite.config.name == manifest.name == ARTIFACT.name
    assert suite.config.service.build.args == {
        "ARTIFACT": manifest.name,
        "MODEL_NAME": manifest.name,
        "MODEL_VERSION": manifest.version,
    }
    assert [family for family in Family if suite.config.family(family)] == [Family.GOLDEN]


def test_the_model_answers_each_golden_case_and_a_double_loses_many(suite):
    cases = list(load_golden_set(suite, suite.config.golden).cases)
    artifact = load_artifact(ARTIFACT)
    model = Model(artifact, provider="cpu", intra_op_threads=1, observe_run=lambda **_: None)
    reader = TensorReader(artifact.manifest.input)
    exact = np.array([reader.read(case.input) for case in cases])
    labels = [case.expected["label"] for case in cases]
    assert [answer.label for answer in model.predict(exact)] == labels
    through_double = exact.astype(np.float64).astype(np.int64)
    others = {
        (is_, was)
        for is_, was in zip([answer.label for answer in model.predict(through_double)], labels, strict=True)
        if is_ != was
    }
    assert others == {("wrong", "right"), ("right", "wrong")}
    assert np.count_nonzero(through_double != exact) >= LEAST_LOST
