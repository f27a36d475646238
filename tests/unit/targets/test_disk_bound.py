"""A container that fills this machine's disk is ended."""

import time
from types import SimpleNamespace

import docker.errors
import pytest

from harness.targets.disk_bound import FLOOR_BYTES, DiskBound

MOST = 1000


class Engine:
    """Tells one size after the other, the last one for ever; an error is raised."""

    def __init__(self, *sizes):
        self.sizes = list(sizes)
        self.asked = 0
        self.killed = []
        self.api = SimpleNamespace(containers=self._containers)

    def info(self):
        return {"DockerRootDir": "/nowhere/at/all"}

    def _containers(self, *, size, filters):
        assert size
        assert filters == {"id": "abc"}
        self.asked += 1
        told = self.sizes.pop(0) if len(self.sizes) > 1 else self.sizes[0]
        if isinstance(told, Exception):
            raise told
        return [] if told is None else [{"SizeRw": told}]

    def bound(self):
        container = SimpleNamespace(id="abc", kill=lambda: self.killed.append("abc"))
        return DiskBound(self, container, MOST)


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr("harness.targets.disk_bound.EVERY_S", 0.001)


def watched(engine, until):
    """The bound after it was entered for as long as it takes."""
    give_up = time.monotonic() + 10
    with engine.bound() as bound:
        while not until() and time.monotonic() < give_up:
            time.sleep(0.001)
    return bound


def free(monkeypatch, *told):
    """What the disk has left at each look, the last one for ever."""
    left = list(told)

    def statvfs(_folder):
        return SimpleNamespace(f_bavail=left.pop(0) if len(left) > 1 else left[0], f_frsize=1)

    monkeypatch.setattr("harness.targets.disk_bound.os.statvfs", statvfs)


def test_one_that_writes_too_much_is_killed_once():
    engine = Engine(0, 500, MOST + 1)
    bound = watched(engine, lambda: engine.killed)
    assert engine.killed == ["abc"]
    assert bound.problem == "it wrote 1001 bytes to its disk, allowed are 1000"


@pytest.mark.parametrize("sizes", [(MOST,), (None,), (0, docker.errors.DockerException("busy"), 0)])
def test_any_other_is_left_alone(sizes):
    engine = Engine(*sizes)
    bound = watched(engine, lambda: engine.asked > 5)
    assert engine.killed == []
    assert bound.problem == ""


def test_one_beside_which_the_disk_gets_full_is_killed_though_nobody_sees_its_files(monkeypatch):
    free(monkeypatch, FLOOR_BYTES + 500, FLOOR_BYTES, FLOOR_BYTES - 501)
    engine = Engine(0)
    bound = watched(engine, lambda: engine.killed)
    assert engine.killed == ["abc"]
    assert bound.problem.startswith("while it ran, 1001 bytes of the engine's disk were used up")


@pytest.mark.parametrize("told", [(10 * FLOOR_BYTES, 2 * FLOOR_BYTES), (500, 400), (500,)])
def test_a_disk_that_has_room_or_was_full_before_is_not_its_doing(monkeypatch, told):
    free(monkeypatch, *told)
    engine = Engine(0)
    watched(engine, lambda: engine.asked > 5)
    assert engine.killed == []
