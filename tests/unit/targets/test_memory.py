"""What the engine's statistics say of a container's memory."""

import pytest

from harness.targets.container_state import anonymous_bytes


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
