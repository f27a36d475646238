"""A checkout like this one whose gate is a stand-in, and a runner that uses its actions."""

import sys
from pathlib import Path

import pytest
import report_samples
from actions_runner import Runner

ROOT = Path(__file__).resolve().parents[3]
WORKFLOW = ROOT / ".github" / "workflows" / "promotion-gate.yml"


def executable(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def samples():
    """The reports that the renderers are tested with."""
    return report_samples


@pytest.fixture
def tools(tmp_path):
    """Stand-ins of the machine: `make venv`, whose virtual environment is the one that runs this."""
    folder = tmp_path / "tools"
    executable(folder / "make", '#!/bin/sh\n[ "$1 $3" = "-C venv" ] && [ -x "$2/.venv/bin/python" ]\n')
    return folder


@pytest.fixture
def checkout(tmp_path):
    """The actions of this checkout beside a virtual environment and no gate."""
    folder = tmp_path / "checkout"
    (folder / ".github").mkdir(parents=True)
    (folder / ".github" / "actions").symlink_to(ROOT / ".github" / "actions")
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def runner(tmp_path, checkout, tools):
    return Runner(tmp_path / "runner", checkout, tools)
