"""Gates as processes of their own, to be disturbed, and what they leave behind."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_processes import descendants, kill

from harness.targets.engine import OWNER_LABEL, RUN_LABEL


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


@contextmanager
def gates(folder):
    """Starts ``harness run``; whatever still runs at the end is killed."""
    started = []

    def start(config, candidate, *options, out=None, temporary=None, within=(), **environ):
        """``within`` is a command that starts the gate, such as one that gives it other namespaces."""
        own = folder / f"gate-{len(started)}"
        own.mkdir()
        temporary = temporary or own / "tmp"
        temporary.mkdir(exist_ok=True)
        log = own / "log"
        out = out or own / "reports"
        command = [*within, sys.executable, "-m", "harness", "run", "--config", config]
        if candidate is not None:
            command += ["--candidate", candidate]
        if "--reference" not in options:
            command += ["--reference", "none"]
        command += ["--out", out, *options]
        with log.open("w") as stderr:
            process = subprocess.Popen(
                list(map(str, command)),
                stderr=stderr,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "TMPDIR": str(temporary), **environ},
            )
        started.append(process)
        return RunningGate(process, out, temporary, log)

    try:
        yield start
    finally:
        for process in started:
            kill(process)


def labelled(engine, *, token=None, pid=None):
    """Names of the containers and networks of runs: of one by its token, or of one process by its pid."""
    containers = engine.containers.list(all=True, filters={"label": RUN_LABEL}, ignore_removed=True)
    networks = engine.networks.list(filters={"label": RUN_LABEL})
    labels = [(c.name, c.labels) for c in containers]
    labels += [(n.name, n.attrs.get("Labels") or {}) for n in networks]
    return [
        name
        for name, own in labels
        if (token is None or own.get(RUN_LABEL) == token)
        and (pid is None or f"|{pid}|" in own.get(OWNER_LABEL, ""))
    ]
