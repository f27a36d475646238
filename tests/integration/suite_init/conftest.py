"""Services to make suites for, each as it runs somewhere: started by nobody's suite."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from local_processes import free_port, kill

from harness.cli.app import main

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
KEY = "sesame-of-the-caller"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()


@pytest.fixture(scope="session")
def started():
    """Starts a command that takes a port; gives the URL once something answers there."""
    processes = []

    def start(command, cwd, **environ):
        port = free_port()
        words = [word.format(port=port) for word in command]
        given = {name: value.format(port=port) for name, value in environ.items()}
        process = subprocess.Popen(
            [sys.executable, *words], cwd=cwd, env={**os.environ, **given}, stdout=subprocess.DEVNULL
        )
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(f"{url}/ready", timeout=5)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return url
        raise AssertionError(f"{command} does not answer")

    yield start
    for process in processes:
        kill(process)


@pytest.fixture(scope="session")
def plain_url(started, tmp_path_factory):
    """The service of another suite: a document at a path of its own, a token, two operations."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens.json"
    tokens.write_text(json.dumps({"tokens": [{"sha256": DIGEST, "requests": 1000000, "window_s": 1}]}))
    return started(
        ["service.py"],
        ROOT / "tests" / "suites" / "plain",
        SCORE_HOST="127.0.0.1",
        SCORE_PORT="{port}",
        SCORE_TOKENS_FILE=str(tokens),
    )


@pytest.fixture(scope="session")
def reference_url(started, tmp_path_factory):
    """The reference service."""
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    entry = {
        "id": "init",
        "sha256": DIGEST,
        "scopes": ["predict", "metadata"],
        "quota": "100000/second",
    }
    keys.write_text(json.dumps({"keys": [entry]}))
    return started(
        ["-m", "reference_service"],
        ROOT,
        SERVICE_ARTIFACT="reference_service/artifacts/breast-cancer",
        SERVICE_HOST="127.0.0.1",
        SERVICE_PORT="{port}",
        SERVICE_API_KEYS_FILE=str(keys),
    )


@pytest.fixture(scope="session")
def bare_url(started):
    """One without a document."""
    return started([str(HERE / "bare.py"), "{port}"], HERE)


@pytest.fixture
def harness(capsys, monkeypatch, tmp_path):
    """Runs a command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, key=KEY):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["harness", *map(str, arguments)])
            patch.setenv("GATE_KEY_CALLER", key)
            with pytest.raises(SystemExit) as caught:
                main()
        written = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, caught.value.code or 0, written.out, written.err)

    return run
