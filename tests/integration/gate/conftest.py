"""Gates as processes of their own, to be interrupted and to run side by side."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from local_processes import descendants, kill


@dataclass
class RunningGate:
    """A gate that runs.

    Attributes:
        out: Its folder of reports.
        temporary: Its folder for temporary files.
    """

    process: subprocess.Popen
    out: Path
    temporary: Path
    log: Path

    @property
    def stderr(self):
        return self.log.read_text()

    def descendants(self):
        """Process ids of all that it started, and what those started."""
        return descendants(self.process.pid)

    def wait_for(self, condition, timeout_s=40):
        """Until ``condition()`` gives something; that."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if found := condition():
                return found
            assert self.process.poll() is None, self.stderr
            time.sleep(0.02)
        raise AssertionError(self.stderr)

    def end(self, signal_number, timeout_s=40):
        """Its exit code after a signal."""
        self.process.send_signal(signal_number)
        return self.process.wait(timeout_s)


@pytest.fixture
def start_gate(tmp_path):
    """Starts ``harness run``; whatever still runs at the end of the test is killed."""
    started = []

    def start(config, candidate, *options, out=None, temporary=None):
        folder = tmp_path / f"gate-{len(started)}"
        folder.mkdir()
        temporary = temporary or folder / "tmp"
        temporary.mkdir(exist_ok=True)
        log = folder / "log"
        out = out or folder / "reports"
        command = [sys.executable, "-m", "harness", "run", "--config", config]
        if candidate is not None:
            command += ["--candidate", candidate]
        if "--reference" not in options:
            command += ["--reference", "none"]
        command += ["--out", out, *options]
        with log.open("w") as stderr:
            process = subprocess.Popen(
                command,
                stderr=stderr,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "TMPDIR": str(temporary)},
            )
        started.append(process)
        return RunningGate(process, out, temporary, log)

    yield start
    for process in started:
        kill(process)
