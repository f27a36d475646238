"""Trials in processes of their own: as many at once as were asked for, and none is left behind."""

import contextlib
import os
from pathlib import Path

import pytest
from local_processes import descendants
from selftest_samples import HEALTHY

from harness.errors import Interrupted
from harness.selftest.model import Mode
from harness.selftest.trial import Asked
from harness.selftest.worker import Job
from harness.selftest.workers import run_all


@pytest.fixture
def job(tmp_path):
    """A trial of a catalogue that is not there: its process ends without one."""

    def job(name):
        asked = Asked(config=tmp_path / "gate.toml", folder=tmp_path, mode=Mode.QUICK, seed=0)
        return Job(asked=asked, name=name, healthy=HEALTHY, catalogue=tmp_path / "nowhere")

    return job


class Watched:
    """Counts what runs."""

    def __init__(self):
        self.running, self.most, self.ended = set(), 0, {}

    def started(self, job):
        self.running.add(job.name)
        self.most = max(self.most, len(self.running))

    def finished(self, job, found):
        self.running.remove(job.name)
        self.ended[job.name] = found


def test_a_process_without_a_trial_tells_why(job):
    watched = Watched()
    run_all([job(name) for name in "abc"], 2, watched.started, watched.finished)
    assert watched.most == 2
    assert sorted(watched.ended) == ["a", "b", "c"]
    for found in watched.ended.values():
        assert found.startswith("the trial ended with 1: ")
        assert "no fault and no benign change is in it" in found


def left():
    """The processes of trials that this one has started and that still run."""
    return {pid for pid in descendants(os.getpid()) if "harness.selftest.worker" in command(pid)}


def command(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    return ""


def test_none_is_left_when_we_are_interrupted(job):
    begun = []

    def interrupt(job):
        begun.append(job.name)
        if len(begun) == 2:
            assert len(left()) == 2
            raise Interrupted("SIGINT")

    with pytest.raises(Interrupted):
        run_all([job(name) for name in "abc"], 2, interrupt, lambda _job, _found: None)
    assert begun == ["a", "b"]
    assert left() == set()


def test_none_is_left_when_a_result_cannot_be_kept(job):
    def fail(_job, _found):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        run_all([job(name) for name in "ab"], 2, lambda _job: None, fail)
    assert left() == set()
