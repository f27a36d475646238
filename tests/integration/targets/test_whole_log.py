"""All that a container wrote is searched, and what the engine dropped is known to be missing."""

import time

import pytest

pytestmark = pytest.mark.engine

FIRST = "the-first-line-of-all"
DOCKERFILE = """FROM ${BASE}
ENTRYPOINT []
CMD ["python3", "-c", "print('%s'); [print('%%099d' %% n) for n in range(%d)]; print('the end')"]
"""
BOUND_S = 30


def written(endpoint):
    """The endpoint, once it has written everything."""
    give_up = time.monotonic() + BOUND_S
    while "the end" not in endpoint.logs() and time.monotonic() < give_up:
        time.sleep(0.1)
    return endpoint


@pytest.mark.parametrize(("lines", "found", "whole"), [(20_000, True, True), (150_000, False, False)])
def test_what_was_written_first_is_found_or_known_to_be_lost(target, build_image, lines, found, whole):
    image = build_image(f"writes-{lines}", DOCKERFILE % (FIRST, lines))
    with target(image=image, until_ready=False) as endpoint:
        seen = written(endpoint).search_log(lambda text: FIRST in text)
        assert (seen.found, seen.whole) == (found, whole)
        assert FIRST not in endpoint.logs()
