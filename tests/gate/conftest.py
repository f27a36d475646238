"""Overlays over the reference image, and the gate on them: the harness gets nothing but an image's name."""

import os
from pathlib import Path

import pytest

from harness.gate import GateRequest, gate

GATE_TOML = Path(__file__).resolve().parents[2] / "gate.toml"
OVERLAY = """FROM ${BASE}
COPY fault.py /overlay/fault.py
ENV PYTHONPATH=/overlay
CMD ["python3", "-m", "fault"]
"""


@pytest.fixture(scope="session")
def overlay(build_image, reference_image):
    """Builds the image that starts the service through the folder's fault.py."""

    def build(folder):
        files = {"fault.py": (folder / "fault.py").read_text()}
        name = f"overlay-{folder.name.replace('_', '-')}"
        return build_image(name, OVERLAY, files, base=reference_image)

    return build


@pytest.fixture
def gate_image(tmp_path, reference_image):
    """Gates an image by the reference suite, against the healthy reference image."""

    def run(image, **request):
        request = GateRequest(
            candidate=image, reference=reference_image, config=GATE_TOML, out=tmp_path / "reports", **request
        )
        report, _ = gate(request, os.environ, lambda _event: None)
        return report

    return run
