"""Each artifact has a suite of its own."""

from pathlib import Path

import pytest

from harness.config.suite import load_suite
from reference_service.model.artifact import load_artifact

ROOT = Path(__file__).parents[3]
SUITES = {"breast-cancer": ROOT / "gate.toml", "digits": ROOT / "gate.digits.toml"}


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
