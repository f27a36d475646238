"""The suites of the two artifacts differ only in what their artifacts make different."""

import json
import tomllib
from pathlib import Path

import pytest

from harness.config.suite import load_suite
from harness.model import Family
from reference_service.model.artifact import load_artifact

ROOT = Path(__file__).parents[3]
SUITES = {"breast-cancer": ROOT / "gate.toml", "digits": ROOT / "gate.digits.toml"}
OF_THE_ARTIFACT = {
    "name": ...,
    "service": {
        "build": {"args": ...},
        "process": {"environment": ...},
        "gpu": ...,
        "variants": {"damaged_model": {"files": {"model": {"path": ...}}}},
    },
    "image": {"limits": {"max_gpu_size_mib": ...}},
    "artifact": {"folder": ..., "onnx": {"outputs": ...}, "limits": {"opsets": ...}},
    "golden": ...,
    "contract": {"openapi": ..., "responses": {"valid": ...}, "manifest": {"inputs": ...}},
    "fuzz": {
        "openapi": ...,
        "cases_per_operation": ...,
        "budget_s": ...,
        "limits": {"min_accepted_share": ...},
    },
    "scenarios": {"requests": ..., "variables": ...},
    "drift": {"traffic": ..., "predictions": ..., "slices": ...},
    "latency": {"budget_s": ..., "gpu": ...},
    "selftest": ...,  # one catalogue for both
}


def without(content, parts):
    """A document less the members that are named."""
    if parts is ...:
        return None
    return {name: without(value, parts[name]) if name in parts else value for name, value in content.items()}


def test_what_is_not_of_the_artifact_is_the_same():
    first, second = (
        without(load_suite(path).config.model_dump(mode="json"), OF_THE_ARTIFACT) for path in SUITES.values()
    )
    assert first == second


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_is_of_its_artifact(name):
    config = load_suite(SUITES[name]).config
    manifest = load_artifact(ROOT / "reference_service" / "artifacts" / name).manifest
    assert config.name == manifest.name == name
    assert config.service.process.environment["SERVICE_ARTIFACT"] == f"reference_service/artifacts/{name}"
    if config.service.build.args:
        assert config.service.build.args == {
            "ARTIFACT": name,
            "MODEL_NAME": manifest.name,
            "MODEL_VERSION": manifest.version,
        }


def test_the_network_is_gated_on_a_gpu_and_the_trees_are_not():
    trees, network = (load_suite(SUITES[name]).config.service for name in ("breast-cancer", "digits"))
    assert trees.gpu is None
    on_gpu = network.on_gpu()
    assert on_gpu.environment == {**network.environment, "SERVICE_EXECUTION_PROVIDER": "cuda"}
    assert on_gpu.build.args == {**network.build.args, "LOCKS": "service-gpu"}
    assert (ROOT / "requirements" / f"{on_gpu.build.args['LOCKS']}.lock").is_file()


@pytest.mark.parametrize("name", SUITES)
def test_no_scenario_may_be_missing(name):
    suite = load_suite(SUITES[name])
    settings = suite.config.scenarios
    for files, least in ((settings.auth, settings.min_auth), (settings.rate, settings.min_rate)):
        documents = [tomllib.loads((SUITES[name].parent / file).read_text()) for file in files]
        assert sum(len(document["scenario"]) for document in documents) == least


def test_the_canary_is_asked_nothing_but_a_trickle():
    suite = load_suite(ROOT / "gate.canary.toml")
    assert [family for family in Family if suite.config.family(family)] == [Family.LATENCY]
    latency = suite.config.latency
    case = (ROOT / "golden" / "breast-cancer" / "cases.jsonl").open().readline()
    assert latency.request.body["features"] == json.loads(case)["input"]
    assert latency.rate_per_s <= 20
