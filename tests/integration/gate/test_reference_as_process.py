"""The reference suite on a machine without an engine: gated as a process; an image needs an engine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ExitCode
from harness.targets.engine import DEFAULT_SOCKET

ROOT = Path(__file__).resolve().parents[3]
PARTS = ("harness", "reference_service", "scripts", "golden", "contracts", "scenarios", "gate.toml")
SOCKET = DEFAULT_SOCKET.removeprefix("unix://")
FAMILIES = {"image", "artifact", "contract", "golden", "fuzz", "scenarios", "telemetry", "drift"}
OF_AN_IMAGE = {"image.config", "image.labels", "artifact.manifest", "artifact.model", "artifact.version"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of this checkout that finds no engine: another default socket, no private engine above it."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    for file in (folder / "harness/targets/engine.py", folder / "scripts/find_engine.py"):
        text = file.read_text()
        assert SOCKET in text
        file.write_text(text.replace(SOCKET, str(folder / "no-engine.sock")))
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture
def gate_script(checkout, tmp_path):
    """Runs the copy's scripts/gate.sh with nothing in the environment that names an engine."""
    docker = ("DOCKER_", "XDG_RUNTIME_DIR", "HARNESS_", "CANDIDATE", "REFERENCE", "DEVICE")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(docker)}
    environ["DOCKER_CONFIG"] = str(tmp_path / "no-docker-config")

    def run(*options, timeout=240, **more):
        command = [checkout / "scripts" / "gate.sh", "--out", tmp_path / "reports", *options]
        return subprocess.run(
            command,
            cwd=checkout,
            env={**environ, **more},
            timeout=timeout,
            check=False,
            capture_output=True,
            text=True,
        )

    return run


def assert_covers(report, families):
    assert (report["scope"], report["candidate"]["kind"]) == ("process", "process")
    assert report["candidate"]["model"]["name"] == "breast-cancer"
    checks = {check["id"]: check for check in report["checks"] if check["family"] != "lifecycle"}
    assert {check["family"] for check in checks.values()} == families
    imageless = {name for name, check in checks.items() if check["outcome"] == "not_applicable"}
    assert imageless == OF_AN_IMAGE
    ran = {name: check for name, check in checks.items() if name not in imageless}
    assert {name for name, check in ran.items() if check["executed"] < check["expected"]} == set()


@pytest.mark.slow
def test_it_is_promoted_and_says_what_that_leaves_unchecked(gate_script):
    result = gate_script("--skip", "latency", "--json")
    assert result.returncode == ExitCode.PROMOTE, result.stderr
    assert "no container engine answers" in result.stderr
    assert "nothing is checked of its image" in result.stderr
    assert_covers(json.loads(result.stdout), FAMILIES)


@pytest.mark.slow
def test_all_families(gate_script):
    """Whether the machine is quiet enough to decide the latency is not the service's fault."""
    result = gate_script("--json")
    report = json.loads(result.stdout)
    assert_covers(report, FAMILIES | {"latency"})
    assert not report["partial"]
    if result.returncode == ExitCode.INCONCLUSIVE:
        assert {reason["check_id"] for reason in report["reasons"]} == {"latency.paired"}
    else:
        assert (result.returncode, report["decision"]) == (ExitCode.PROMOTE, "promote"), result.stderr


@pytest.mark.parametrize("options", [{"CANDIDATE": "some:image"}, {"REFERENCE": "some:image"}])
def test_an_image_needs_an_engine_and_it_says_which(gate_script, options, tmp_path):
    result = gate_script(timeout=60, **options)
    assert result.returncode == ExitCode.INFRASTRUCTURE, result.stderr
    assert "no container engine answers, and 'some:image' is an image" in result.stderr
    assert "make engine" in result.stderr
    assert "install Docker Engine" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "reports").exists()
