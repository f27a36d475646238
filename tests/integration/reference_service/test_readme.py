"""The commands of the service's README, run as they stand: only the port is another, and the folder."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from local_processes import free_port

import reference_service
from reference_service.server.tls import server_context
from reference_service.settings import Settings

ROOT = Path(reference_service.__file__).parents[1]
README = (ROOT / "reference_service" / "README.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("bash", "curl", "jq", "openssl")),
    reason="needs curl, jq and openssl",
)


def blocks(section):
    """The shell commands of a section."""
    text = README.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(tmp_path):
    """Runs commands in a folder that is as the checkout; gives what they write on standard output."""
    (tmp_path / "reference_service").symlink_to(ROOT / "reference_service")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    port = str(free_port())
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SERVICE_PORT": port}

    def run(commands):
        ended = "set -euo pipefail\ntrap 'kill $(jobs -p); wait' EXIT\n"
        finished = subprocess.run(
            ["bash", "-c", ended + commands.replace(":8000", f":{port}")],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run


@pytest.mark.parametrize("name", ["breast-cancer", "digits"])
def test_a_key_is_made_and_the_sample_is_answered(run, name):
    start, tensor, _container = blocks("Run")
    if name == "digits":
        start = start[: start.index("jq ")].replace("artifacts/breast-cancer", "artifacts/digits") + tensor
    said = run(start)
    expected = json.loads((ROOT / f"reference_service/artifacts/{name}/manifest.json").read_text())["sample"]
    assert f'"label":"{expected["expected"]["label"]}"' in said.replace(": ", ":")


def test_the_certificate_of_the_readme_is_one_that_the_service_takes(run, tmp_path):
    run("trap - EXIT\n" + blocks("TLS")[0])
    tls = tmp_path / "tls"
    assert server_context(Settings(tls_cert_file=tls / "server.pem", tls_key_file=tls / "server.key"))


def test_no_example_mounts_a_single_file():
    mounts = re.findall(r"-v \"?([^\s:]+):", README)
    assert mounts
    assert [mount for mount in mounts if "." in mount.rpartition("/")[2]] == []
