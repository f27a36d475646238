"""docs/selftest-proxy.md: somebody's own suite, which names no fault."""

import pytest
from walking import Instead


@pytest.fixture
def image(plain_image, tag):
    """What stands for the service of the page."""
    tag(plain_image, "my-service:2.1.0")


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.usefixtures("image")
def test_a_suite_without_a_catalogue(first_suite):
    two = Instead("--proxy", "--proxy --only none --only number_as_text", "all of them take an hour")
    walked = first_suite.walk(
        "docs/selftest-proxy.md",
        "harness selftest --proxy --candidate my-service:2.1.0",
        instead=[two],
        timeout_s=600,
    )
    assert "number_as_text" in walked.out
    one = Instead("--only golden", "--only batch_rotated", "those of a family take minutes")
    walked = first_suite.walk(
        "docs/selftest-proxy.md",
        "harness selftest --proxy --candidate my-service:2.1.0 --only golden",
        instead=[one],
        timeout_s=600,
    )
    assert "batch_rotated" in walked.out
