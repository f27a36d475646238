"""Overlays over the reference image, and the gate on them: the harness gets nothing but an image's name."""

import os
from pathlib import Path

import pytest

from harness.config.suite import load_suite
from harness.gate import GateRequest, gate

ROOT = Path(__file__).resolve().parents[2]
FIRST = "breast-cancer"
SUITES = {FIRST: ROOT / "gate.toml", "digits": ROOT / "gate.digits.toml"}
OVERLAY = """COPY {module}.py /overlay/{module}.py
ENV PYTHONPATH=/overlay
CMD ["python3", "-m", "{module}"]
"""


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
def overlay(build_image, healthy):
    """Builds the image of an artifact with more lines, started through the folder's module, if it has one."""

    def build(folder, artifact=FIRST, lines=()):
        modules = list(folder.glob("*.py"))
        files = {path.name: path.read_text() for path in modules}
        started = [OVERLAY.format(module=path.stem) for path in modules]
        dockerfile = "\n".join(["FROM ${BASE}", *lines, *started])
        name = f"overlay-{folder.name.replace('_', '-')}"
        return build_image(name, dockerfile, files, base=healthy(artifact))

    return build


@pytest.fixture
def gate_image(tmp_path, healthy):
    """Gates an image by an artifact's suite, against its healthy image."""

    def run(image, artifact=FIRST, **request):
        request = GateRequest(
            candidate=image,
            reference=healthy(artifact),
            config=SUITES[artifact],
            out=tmp_path / "reports",
            **request,
        )
        report, _ = gate(request, os.environ, lambda _event: None)
        return report

    return run
