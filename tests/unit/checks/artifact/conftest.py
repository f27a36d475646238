from dataclasses import replace

import pytest
from artifact_layers import FOLDER
from image_archives import write_archive

from harness.checks.artifact.settings import ArtifactSettings
from harness.config.suite import parse_suite
from harness.targets.interface import Image
from harness.testing import check_context

SUITE = """
schema_version = 1
name = "m"
[service]
port = 1
ready_path = "/"
"""


@pytest.fixture
def settings():
    def declared(**changes):
        told = {
            "folder": FOLDER,
            "name": "/name",
            "version": "/version",
            "files": "/files",
            "model": "/model",
        }
        return ArtifactSettings.model_validate({**told, **changes})

    return declared


@pytest.fixture
def image():
    """Makes an image of layers."""
    made = []

    def make(*layers, **options):
        made.append(layers)
        return Image(f"sha256:{len(made)}", 1, {}, lambda path: write_archive(path, *layers, **options))

    return make


@pytest.fixture
def judged(tmp_path):
    """Collects, stores, and judges: findings by the last part of their id."""

    def judge(check, settings, candidate, reference=None):
        suite = parse_suite(SUITE, tmp_path / "gate.toml")
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        context = replace(
            check_context(suite, tmp_path),
            candidate_image=candidate,
            reference_image=reference,
            scratch=scratch,
        )
        check.verify_inputs(suite, settings)
        evidence = check.collect(context, settings)
        stored = check.evidence.model_validate_json(evidence.model_dump_json())
        findings = check.judge(stored, settings.limits)
        return {finding.id.rpartition(".")[2]: finding for finding in findings}

    return judge
