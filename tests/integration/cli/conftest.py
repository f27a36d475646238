"""A tiny service that already runs, so that these tests need no engine."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from local_processes import free_port, kill

from harness.cli.app import main

TINY = Path(__file__).parent.parent / "tiny" / "server.py"


@pytest.fixture(scope="session")
def serve_tiny():
    """Starts tiny services; gives the URL of each."""
    processes = []

    def serve(**environ):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, TINY],
            env={**os.environ, "PORT": str(port), **environ},
            stderr=subprocess.DEVNULL,
        )
        processes.append(process)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{url}/ready").is_success:
                    return url
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError("the tiny service does not get ready")

    yield serve
    for process in processes:
        kill(process)


@pytest.fixture(scope="session")
def tiny_url(serve_tiny):
    """A healthy tiny service."""
    return serve_tiny()


@pytest.fixture(scope="session")
def faulty_url(serve_tiny):
    """One that triples where it should double."""
    return serve_tiny(FACTOR="3")


@pytest.fixture
def run_main(capsys, monkeypatch):
    """Runs the command line in this process, which saves its second of imports."""

    def run(*arguments, **environ):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["harness", *map(str, arguments)])
            for name, value in environ.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as caught:
                main()
        written = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, caught.value.code or 0, written.out, written.err)

    return run
