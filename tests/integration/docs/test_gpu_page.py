"""docs/run-on-gpu.md on a machine without a GPU: each command ends with 5, before a build."""

from pathlib import Path

import pytest
from walking import Instead

pytestmark = pytest.mark.skipif(any(Path("/dev").glob("nvidia[0-9]*")), reason="there is a GPU")


@pytest.mark.slow
def test_the_doctor_names_what_is_missing(checkout):
    said = checkout.walk("docs/run-on-gpu.md", "harness doctor", codes=(5,)).said
    assert "gpu" in said.lower()
    assert "fix:" in said


@pytest.mark.engine
@pytest.mark.usefixtures("base_image")
@pytest.mark.parametrize("kind", ["gate", "load"])
def test_no_gate_and_no_load_begin(checkout, kind):
    if kind == "gate":
        said = checkout.walk("docs/run-on-gpu.md", "DEVICE=gpu", codes=(5,)).said
    else:
        headless = Instead("--web", "", "its port may be taken")
        said = checkout.walk("docs/run-on-gpu.md", "harness load", instead=[headless], codes=(5,)).said
    assert "no NVIDIA runtime" in said
    assert "building" not in said
    assert not (checkout.folder / "reports").exists()
