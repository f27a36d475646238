"""The plugin beside others: in workers of xdist, with the plugins of Locust and Schemathesis, and stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest
from local_processes import alive_after, descendants, kill

TIMEOUT_S = 60
OWN = """
import time
from pathlib import Path

def test_own(gate_candidate, gate_credentials):
    Path("asked").write_text(gate_candidate.base_url)
    time.sleep({seconds})
"""


class Run:
    """A run of pytest with all plugins that are installed, in a folder and a process group of its own."""

    def __init__(self, folder, config, *options):
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        environ = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        environ |= {"TMPDIR": str(self.temporary)}
        self.process = subprocess.Popen(
            [
                # What a shell puts into the background ignores SIGINT, and pytest would keep to that.
                *("env", "--default-signal=INT"),
                *(sys.executable, "-m", "pytest", f"--rootdir={folder}", "--gate-config", config),
                *("--gate-candidate", config.parent, "--gate-reference", "none", *options),
            ],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def reports(self):
        return sorted((self.folder / "reports").glob("*.json"))

    def end(self):
        """Exit code and output, once it has ended."""
        output, _ = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, output

    def wait_for(self, condition):
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self, *signals):
        """Sent to all its processes, as a terminal does; gives exit code, output, and what still runs."""
        started = descendants(self.process.pid)
        for number in signals:
            os.killpg(self.process.pid, number)
            time.sleep(0.1)  # a second one comes while it cleans up
        code, output = self.end()
        return code, output, alive_after(started, 10)


@pytest.fixture
def start(tmp_path, tiny_suite):
    """Starts such a run beside a test of one's own."""
    runs = []

    def start(*options, own="", **suite):
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "test_own.py").write_text(own)
        runs.append(Run(folder, tiny_suite(**suite), *options))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            kill(run.process)


PLUGINS = ("locust", "schemathesis", "xdist", "randomly")


@pytest.mark.slow
def test_beside_the_plugins_of_locust_and_schemathesis(start):
    run = start("-v", own=OWN.format(seconds=0))
    code, output = run.end()
    assert code == pytest.ExitCode.OK, output
    assert [plugin for plugin in PLUGINS if f"{plugin}-" not in output] == []
    assert "gate::golden.single::y PASSED" in output
    assert " 8 passed" in output
    assert len(run.reports) == 1
    assert list(run.temporary.iterdir()) == []


def test_workers_share_one_gate(start):
    run = start("-n", "2", "-v", "--junit-xml=junit.xml", own=OWN.format(seconds=0))
    code, output = run.end()
    assert code == pytest.ExitCode.OK, output
    assert [plugin for plugin in PLUGINS if f"{plugin}-" not in output] == []
    assert "PASSED gate::golden.single::y" in output
    assert " 8 passed" in output
    assert len(run.reports) == 1
    assert 'classname="gate.golden.single" name="y"' in (run.folder / "junit.xml").read_text()
    assert [left.name for left in run.temporary.iterdir() if left.name.startswith("harness-")] == []


SLOW = {"replace": {"[service.environment]": '[service.environment]\nSLOW_S = "0.5"'}}


@pytest.mark.parametrize(
    ("options", "signals"),
    [
        pytest.param([], [signal.SIGINT], marks=pytest.mark.slow),
        ([], [signal.SIGTERM]),
        pytest.param([], [signal.SIGINT, signal.SIGINT], marks=pytest.mark.slow),
        pytest.param(["-n", "2"], [signal.SIGINT], marks=pytest.mark.slow),
    ],
    ids=["interrupted", "terminated", "twice", "workers"],
)
def test_a_gate_that_is_stopped_leaves_nothing(start, options, signals):
    run = start(*options, **SLOW)
    out = run.folder / "reports"
    run.wait_for(lambda: list(out.glob(".*.partial/evidence/golden.single")))
    code, output, running = run.stop(*signals)
    # pytest itself has no patience with a second one.
    assert code == pytest.ExitCode.INTERRUPTED or (len(signals) > 1 and code == -signal.SIGINT), output
    assert running == set()
    assert list(out.iterdir()) == []
    assert [left.name for left in run.temporary.iterdir() if left.name.startswith("harness-")] == []


@pytest.mark.parametrize(
    "signals",
    [
        pytest.param([signal.SIGINT], marks=pytest.mark.slow),
        pytest.param([signal.SIGTERM], marks=pytest.mark.slow),
        [signal.SIGINT, signal.SIGINT],
    ],
    ids=["interrupted", "terminated", "twice"],
)
def test_a_test_that_is_stopped_leaves_no_candidate(start, signals):
    run = start("-m", "not gate", own=OWN.format(seconds=60))
    run.wait_for((run.folder / "asked").exists)
    code, output, running = run.stop(*signals)
    assert code != pytest.ExitCode.OK, output
    assert running == set()
    assert list(run.temporary.iterdir()) == []


IMAGES = """
import httpx

def test_own(gate_candidate, gate_credentials):
    asked = {"json": {"x": 3}, "headers": gate_credentials.headers("caller")}
    assert httpx.post(f"{gate_candidate.base_url}/predict", **asked).json() == {"y": 6}
"""


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(("line", "code"), [((), 0), (("ENV FACTOR=3",), 1)], ids=["promoted", "rejected"])
def test_an_image(start, tiny_variant, left_behind, line, code):
    run = start("--gate-candidate", tiny_variant(*line), "-v", own=IMAGES)
    found, output = run.end()
    word = "PASSED" if code == 0 else "FAILED"
    assert found == code, output
    for item in ("gate::golden.single::y", "gate::verdict", "test_own.py::test_own"):
        assert f"{item} {word}" in output
    assert left_behind(pid=run.process.pid) == []
    assert list(run.temporary.iterdir()) == []
