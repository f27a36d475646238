"""A tiny service, its suite, and ways to run the gate on it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import tiny_suite as tiny
from running_gates import labelled

from harness.gate import GateRequest, gate
from harness.targets.engine import find_engine

PLAIN = Path(__file__).resolve().parents[1] / "suites" / "plain"


@pytest.fixture(scope="session")
def tiny_image(build_image):
    """The tiny service as an image; its command line takes a way to misbehave."""
    return tiny.built(build_image)


@pytest.fixture(scope="session")
def plain_image(images, base_image):
    """The service of the foreign suite, built by its own Dockerfile."""
    return images.from_folder("plain", PLAIN, base=base_image, base_argument="BASE_IMAGE")


@pytest.fixture(scope="session")
def tiny_variant(build_image, tiny_image):
    """An image that is the tiny service with other lines at the end of its Dockerfile."""

    def variant(*lines):
        return tiny.varied(build_image, tiny_image, *lines)

    return variant


@pytest.fixture
def tiny_suite(tmp_path):
    """Writes the suite of the tiny service, with more lines at its end; gives its gate.toml."""

    def write(more="", *, folder=tmp_path / "suite", **changed):
        return tiny.write_suite(folder, more, **changed)

    return write


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where this process and those it starts put temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def run_gate(temporary, tmp_path):
    """Gates an image in this process; nothing it started may be left."""

    def run(config, candidate, **request):
        out = request.pop("out", tmp_path / "reports")
        reference = request.pop("reference", "none")
        request = GateRequest(candidate=candidate, reference=reference, config=config, out=out, **request)
        return gate(request, os.environ, lambda _event: None)

    yield run
    assert list(temporary.glob("harness-*")) == []


@pytest.fixture(scope="session")
def run_harness():
    """Runs the command line in a process of its own, to its end."""

    def run(*arguments, cwd=None, timeout=120, **environ):
        return subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **environ},
            timeout=timeout,
            check=False,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture(scope="session")
def found_engine():
    """The engine as the harness sees it."""
    return find_engine(Path.cwd(), os.environ)


@pytest.fixture
def left_behind(engine):
    """Names of the containers and networks of runs: of one by its token, or of one process by its pid."""

    def names(**whose):
        return labelled(engine, **whose)

    return names
