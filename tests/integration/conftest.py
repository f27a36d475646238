"""A tiny service, its suite, and ways to run the gate on it."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from harness.gate import GateRequest, gate
from harness.targets.engine import OWNER_LABEL, RUN_LABEL, find_engine

TINY = Path(__file__).with_name("tiny")
PLAIN = Path(__file__).resolve().parents[1] / "suites" / "plain"
CASES = 12
GATE_TOML = """
schema_version = 1
name = "tiny"

[service]
port = 8080
ready_path = "/ready"
ready_timeout_s = 15
memory = "64m"
cpus = 1.0
pids = 32
read_only_root = true

[service.environment]
PORT = "${port}"
TINY_KEY = "${key.caller}"

[service.files.key]
path = "/run/secrets/caller"
content = "${key.caller}"

[service.process]
command = ["${python}", "server.py"]

[auth]
keys = ["caller"]

[auth.credentials.caller]
headers = { X-Caller = "${key.caller}" }

[policy]
required = ["golden"]

[golden]
path = "golden"
connections = 1
single = { path = "/predict", credential = "caller", body = { x = "${input}" } }

[golden.outputs.y]
pointer = "/y"
dtype = "int64"
"""


@pytest.fixture(scope="session")
def tiny_image(build_image):
    """The tiny service as an image; its command line takes a way to misbehave."""
    dockerfile = (
        'FROM ${BASE}\nCOPY server.py /server.py\nUSER 10001:10001\nENTRYPOINT ["python3", "/server.py"]\n'
    )
    return build_image("tiny", dockerfile, {"server.py": (TINY / "server.py").read_text()})


@pytest.fixture(scope="session")
def plain_image(images, base_image):
    """The service of the foreign suite, built by its own Dockerfile."""
    return images.from_folder("plain", PLAIN, base=base_image, base_argument="BASE_IMAGE")


@pytest.fixture(scope="session")
def tiny_variant(build_image, tiny_image):
    """An image that is the tiny service with other lines at the end of its Dockerfile."""

    def variant(*lines):
        return build_image("tiny-variant", "\n".join(["FROM ${BASE}", *lines]) + "\n", base=tiny_image)

    return variant


@pytest.fixture
def tiny_suite(tmp_path):
    """Writes the suite of the tiny service, with more lines at its end; gives its gate.toml."""

    def write(more="", *, replace=None, cases=CASES, folder=tmp_path / "suite"):
        (folder / "golden").mkdir(parents=True)
        (folder / "server.py").write_text((TINY / "server.py").read_text())
        lines = "".join(
            json.dumps({"id": f"double-{x}", "input": x, "expected": {"y": 2 * x}}) + "\n"
            for x in range(cases)
        )
        (folder / "golden" / "cases.jsonl").write_text(lines)
        digest = hashlib.sha256(lines.encode()).hexdigest()
        (folder / "golden" / "golden.toml").write_text(
            "schema_version = 1\n"
            '[producer]\nname = "by hand"\nversion = "1"\nkind = "script"\ndate = 2026-01-01\n'
            'environment = "none"\n'
            f'[model]\nname = "double"\nversion = "1"\nsha256 = "{"0" * 64}"\n'
            f'[dataset]\nname = "integers"\nsha256 = "{"0" * 64}"\n'
            f'[cases]\nfile = "cases.jsonl"\nsha256 = "{digest}"\ncount = {cases}\n'
        )
        text = GATE_TOML
        for old, new in (replace or {}).items():
            assert old in text
            text = text.replace(old, new)
        config = folder / "gate.toml"
        config.write_text(text + more)
        return config

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

    def names(*, token=None, pid=None):
        containers = engine.containers.list(all=True, filters={"label": RUN_LABEL}, ignore_removed=True)
        networks = engine.networks.list(filters={"label": RUN_LABEL})
        labelled = [(c.name, c.labels) for c in containers]
        labelled += [(n.name, n.attrs.get("Labels") or {}) for n in networks]
        return [
            name
            for name, labels in labelled
            if (token is None or labels.get(RUN_LABEL) == token)
            and (pid is None or f"|{pid}|" in labels.get(OWNER_LABEL, ""))
        ]

    return names
