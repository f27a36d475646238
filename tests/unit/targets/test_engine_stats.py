"""What the engine's statistics say of a container's memory and CPU time."""

import pytest

from harness.targets.container_state import anonymous_bytes, used_cpu_s


@pytest.mark.parametrize(
    ("memory_stats", "expected"),
    [
        ({"usage": 9000, "stats": {"anon": 4096, "file": 4000}}, 4096),
        ({"usage": 9000, "stats": {"rss": 10, "total_rss": 4096, "total_cache": 4000}}, 4096),
        ({"usage": 9000, "stats": {"anon": 0}}, 0),
        ({"usage": 9000}, None),
        ({"stats": None}, None),
        ({}, None),
    ],
)
def test_page_cache_is_left_out_under_either_version_of_control_groups(memory_stats, expected):
    assert anonymous_bytes({"memory_stats": memory_stats}) == expected


def test_a_container_that_is_gone_has_no_statistics():
    assert anonymous_bytes({}) is None


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({"cpu_stats": {"cpu_usage": {"total_usage": 2_552_953_013}}}, 2.552953013),
        ({"cpu_stats": {"cpu_usage": {"total_usage": 0}}}, None),
        ({"cpu_stats": {}}, None),
        ({}, None),
    ],
)
def test_cpu_time_is_told_in_nanoseconds_and_not_of_a_container_that_ended(stats, expected):
    assert used_cpu_s(stats) == expected
