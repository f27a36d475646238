"""A gate that is stopped: nothing of it stays. ``tests/resilience`` stops them at any moment."""

import signal

import pytest
from stored_runs import remains

from harness.errors import ExitCode

pytestmark = pytest.mark.engine

# Twelve cases, one after the other, half a second each: the check is under way for six seconds.
SLOW = "ENV SLOW_S=0.5"


def assert_nothing_left(gate, left_behind):
    assert left_behind(pid=gate.process.pid) == []
    assert remains(gate.out) == []
    assert remains(gate.temporary) == []


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_check(start_gate, tiny_suite, tiny_variant, left_behind, signal_number):
    gate = start_gate(tiny_suite(), tiny_variant(SLOW))
    gate.wait_for(lambda: list(gate.out.glob(".*.partial/evidence/golden.single")))
    assert len(left_behind(pid=gate.process.pid)) == 2  # the container and its network
    assert gate.end(signal_number) == ExitCode.INTERRUPTED
    assert "everything that was started has been removed" in gate.stderr
    assert "Traceback" not in gate.stderr
    assert_nothing_left(gate, left_behind)


def test_a_signal_while_a_target_gets_ready(start_gate, tiny_suite, tiny_variant, left_behind):
    gate = start_gate(tiny_suite(), tiny_variant('CMD ["never-ready"]'))
    gate.wait_for(lambda: len(left_behind(pid=gate.process.pid)) == 2)
    assert gate.end(signal.SIGTERM) == ExitCode.INTERRUPTED
    assert_nothing_left(gate, left_behind)


def test_an_impatient_user(start_gate, tiny_suite, tiny_variant, left_behind):
    """A second signal while it cleans up does not stop the cleaning."""
    gate = start_gate(tiny_suite(), tiny_variant(SLOW))
    gate.wait_for(lambda: list(gate.out.glob(".*.partial/evidence/golden.single")))
    gate.process.send_signal(signal.SIGINT)
    gate.process.send_signal(signal.SIGINT)
    assert gate.end(signal.SIGTERM) == ExitCode.INTERRUPTED
    assert_nothing_left(gate, left_behind)


def test_the_next_start_removes_what_a_killed_run_left(
    start_gate, tiny_suite, tiny_image, tiny_variant, left_behind
):
    config = tiny_suite()
    killed = start_gate(config, tiny_variant(SLOW))
    killed.wait_for(lambda: list(killed.out.glob(".*.partial/evidence/golden.single")))
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    assert len(left_behind(pid=killed.process.pid)) == 2
    assert len(list(killed.out.glob(".*.partial"))) == 1
    assert remains(killed.temporary)

    following = start_gate(config, tiny_image, out=killed.out, temporary=killed.temporary)
    assert following.process.wait(60) == ExitCode.PROMOTE
    assert left_behind(pid=killed.process.pid) == []
    assert "removed what a killed run had left" in following.stderr
    assert remains(killed.temporary) == []
    assert list(killed.out.glob(".*")) == []
    assert len(list(killed.out.glob("*.json"))) == 1
