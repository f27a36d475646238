"""Stolen CPU time, as /proc/stat tells of it."""

import pytest

from harness.checks.latency.steal import CpuTicks, steal_share

STAT = "cpu  100 1 20 700 30 4 5 40 9 8\ncpu0 1 2 3\nintr 7\n"


def ticks(total, stolen):
    return CpuTicks(total=total, stolen=stolen)


def test_ticks_are_those_of_all_cores_and_guests_count_once(tmp_path):
    (tmp_path / "stat").write_text(STAT)
    assert CpuTicks.read(tmp_path / "stat") == ticks(900, 40)


@pytest.mark.parametrize("text", ["", "cpu  1 2 3\n", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  a 2 3 4 5 6 7 8\n"])
def test_what_cannot_be_read_is_not_known(tmp_path, text):
    (tmp_path / "stat").write_text(text)
    assert CpuTicks.read(tmp_path / "stat") is None
    assert CpuTicks.read(tmp_path / "none") is None


def test_the_share_is_of_the_time_in_between():
    assert steal_share(ticks(900, 40), ticks(1100, 90)) == 0.25
    assert steal_share(ticks(900, 40), ticks(900, 40)) is None
    assert steal_share(None, ticks(900, 40)) is None
