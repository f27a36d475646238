"""Overlays over the reference image, and the gate on them: the harness gets nothing but an image's name."""

import os
from pathlib import Path

import pytest

from harness.config.suite import load_suite
from harness.gate import GateRequest, gate
from harness.selftest.overlay import build_context
from harness.selftest.probing import proven
from harness.selftest.suites import config_of, extended

ROOT = Path(__file__).resolve().parents[2]
FIRST = "breast-cancer"
SUITES = {FIRST: ROOT / "gate.toml"} | {
    name: ROOT / f"gate.{name}.toml" for name in ("digits", "check-digits")
}


@pytest.fixture(scope="session")
def healthy(images, base_image, reference_image):
    """Builds the image of an artifact from this checkout, as its suite says."""

    def build(artifact):
        if artifact == FIRST:
            return reference_image
        declared = load_suite(SUITES[artifact]).config.service.build
        return images.from_folder(
            f"reference-{artifact}",
            ROOT,
            dockerfile=declared.dockerfile,
            base=base_image,
            base_argument=declared.base_image_arg,
            **declared.args,
        )

    return build


@pytest.fixture(scope="session")
def overlay(images, healthy):
    """Builds the image of an entry of the catalogue."""

    def build(entry):
        name = f"overlay-{entry.name.replace('_', '-')}"
        base = healthy(entry.declared.artifact or FIRST)
        return images.from_files(name, build_context(entry), base=base, base_argument="BASE")

    return build


@pytest.fixture
def prove(tmp_path, healthy):
    """Runs the probe of an entry on an image, beside the healthy one."""

    def run(entry, image):
        config = extended(entry, config_of(entry, load_suite(SUITES[FIRST])), tmp_path / "suite")
        base = healthy(entry.declared.artifact or FIRST)
        return proven(entry, load_suite(config), image, base, environ=os.environ, emit=lambda _event: None)

    return run


@pytest.fixture
def gate_image(tmp_path, healthy):
    """Gates an image by an artifact's suite, against its healthy image; an entry has a suite of its own."""

    def run(image, artifact=FIRST, entry=None, **request):
        config = SUITES[artifact]
        if entry is not None:
            artifact = entry.declared.artifact or FIRST
            config = extended(entry, config_of(entry, load_suite(SUITES[FIRST])), tmp_path / "suite")
        request = GateRequest(
            candidate=image,
            reference=healthy(artifact),
            config=config,
            out=tmp_path / "reports",
            **request,
        )
        report, _ = gate(request, os.environ, lambda _event: None)
        return report

    return run
