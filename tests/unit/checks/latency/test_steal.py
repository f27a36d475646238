"""Stolen CPU time, as /proc/stat tells of it."""

import os

import pytest

from harness.checks.latency.steal import CpuTicks, read_ticks, steal_share

STAT = """cpu  200 2 40 1400 60 8 10 80 9 8
cpu0 100 1 20 700 30 4 5 40 9 8
cpu1 100 1 20 700 30 4 5 40 9 8
cpu10 1 1 1 1 1 1 1 1
intr 7
"""


def ticks(total, stolen):
    return CpuTicks(total=total, stolen=stolen)


@pytest.fixture
def stat(tmp_path):
    (tmp_path / "stat").write_text(STAT)
    return tmp_path / "stat"


def test_ticks_are_those_of_the_asked_cores_and_guests_count_once(stat):
    assert read_ticks(path=stat, cores={1}) == {1: ticks(900, 40)}
    assert read_ticks(path=stat, cores={0, 10}) == {0: ticks(900, 40), 10: ticks(8, 1)}
    assert read_ticks(path=stat, cores={7}) == {}


def test_they_are_asked_of_the_cores_that_services_and_generator_may_use(stat, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    assert read_ticks(path=stat).keys() == {0}


@pytest.mark.parametrize("text", ["", "cpu0  1 2 3\n", "cpu 1 2 3 4 5 6 7 8\n", "cpu0  a 2 3 4 5 6 7 8\n"])
def test_what_cannot_be_read_is_not_known(tmp_path, text):
    (tmp_path / "stat").write_text(text)
    assert read_ticks(path=tmp_path / "stat", cores={0}) == {}
    assert read_ticks(path=tmp_path / "none", cores={0}) == {}


def test_the_share_is_of_the_time_in_between():
    assert steal_share({0: ticks(900, 40)}, {0: ticks(1100, 90)}) == 0.25
    assert steal_share({0: ticks(900, 40)}, {0: ticks(900, 40)}) is None
    assert steal_share({}, {0: ticks(900, 40)}) is None


def test_idle_cores_do_not_hide_what_the_busy_one_lost():
    before = {core: ticks(0, 0) for core in range(64)}
    after = {core: ticks(100, 30 if core == 63 else 0) for core in range(64)}
    assert steal_share(before, after) == 0.3
