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
def suite_of(tmp_path):
    """The suite of an artifact, or one with more at its end: beside it lies what lies beside the first."""

    def suite(artifact, more):
        if not more:
            return SUITES[artifact]
        folder = tmp_path / "suite"
        folder.mkdir(exist_ok=True)
        for beside in ("contracts", "golden", "reference_service", "scenarios"):
            if not (folder / beside).exists():
                (folder / beside).symlink_to(ROOT / beside)
        path = folder / SUITES[artifact].name
        path.write_text(f"{SUITES[artifact].read_text()}\n{more}")
        return path

    return suite


@pytest.fixture
def gate_image(tmp_path, healthy, suite_of):
    """Gates an image by an artifact's suite, against its healthy image; ``more`` is added to the suite."""

    def run(image, artifact=FIRST, more="", **request):
        request = GateRequest(
            candidate=image,
            reference=healthy(artifact),
            config=suite_of(artifact, more),
            out=tmp_path / "reports",
            **request,
        )
        report, _ = gate(request, os.environ, lambda _event: None)
        return report

    return run
