"""Fuzzing and load run in processes of their own, which a stopped gate takes along."""

import signal
import time
from pathlib import Path

import pytest
from local_processes import alive_after

from harness.errors import ExitCode

pytestmark = pytest.mark.engine

CONFIG = Path(__file__).resolve().parents[2] / "suites" / "plain" / "gate.toml"
CHECKS = {"fuzz": "fuzz.schema", "latency": "latency.paired"}


@pytest.fixture
def working(start_gate, plain_image):
    """A gate whose worker process is at work, and all processes that it started."""

    def start(family):
        options = ("--reference", plain_image, "--only", family)
        gate = start_gate(CONFIG, plain_image, *options)
        gate.wait_for(lambda: list(gate.out.glob(f".*.partial/evidence/{CHECKS[family]}")))
        workers = gate.wait_for(gate.descendants)
        time.sleep(1.5)  # past its imports, into its work
        return gate, workers | gate.descendants()

    return start


@pytest.mark.parametrize("family", CHECKS)
def test_a_signal_ends_the_worker_too(working, left_behind, family):
    gate, workers = working(family)
    assert gate.end(signal.SIGTERM) == ExitCode.INTERRUPTED, gate.stderr
    assert alive_after(workers, 5) == set()
    assert left_behind(pid=gate.process.pid) == []
    assert list(gate.out.iterdir()) == []
    assert list(gate.temporary.iterdir()) == []


@pytest.mark.parametrize("family", CHECKS)
def test_a_killed_gate_leaves_no_worker(working, engine, left_behind, family):
    gate, workers = working(family)
    gate.end(signal.SIGKILL)
    assert alive_after(workers, 10) == set()
    names = left_behind(pid=gate.process.pid)
    for name in names:  # as the next start would
        with_name = {"filters": {"name": name}}
        for container in engine.containers.list(all=True, **with_name):
            container.remove(force=True, v=True)
    for name in names:
        for network in engine.networks.list(names=[name]):
            network.remove()
    assert left_behind(pid=gate.process.pid) == []
