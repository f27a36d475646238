"""An image has a digest in each registry it was pushed to: which of them a report names."""

import pytest

from harness.targets.image import repo_digest

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
PUSHED = [f"mirror.test/service@{A}", f"registry.test:5000/service@{B}"]


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        (f"registry.test:5000/service@{B}", PUSHED[1]),
        (f"registry.test:5000/service:1.4@{B}", PUSHED[1]),
        ("registry.test:5000/service:1.4", PUSHED[1]),
        ("registry.test:5000/service", PUSHED[1]),
        ("mirror.test/service:1.4", PUSHED[0]),
        ("mirror.test/serv", PUSHED[0]),
        ("sha256:" + "c" * 64, PUSHED[0]),
    ],
)
def test_it_is_that_of_the_registry_it_was_named_by(name, digest):
    assert repo_digest(PUSHED, name) == digest


def test_an_image_that_was_never_pushed_has_none():
    assert repo_digest([], "service:1.4") is None
