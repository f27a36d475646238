"""Containers that do not start, or do not stay: each ends in time, says why, and leaves nothing."""

import time

import httpx
import pytest

from harness.errors import InfrastructureError, TargetError
from harness.targets.image import find_image

pytestmark = pytest.mark.engine

BOUND_S = 20


def fails(target):
    """The error of a target that does not get ready, within its time."""
    started = time.monotonic()
    with pytest.raises(TargetError) as caught, target:
        pass
    assert time.monotonic() - started < BOUND_S
    return caught.value


def died_within(endpoint, seconds):
    """The connection breaks a moment before the engine knows."""
    deadline = time.monotonic() + seconds
    while endpoint.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not endpoint.alive()


def test_an_image_that_does_not_exist_is_no_fault_of_the_candidate(found_engine):
    with pytest.raises(InfrastructureError, match="no-such-image") as caught:
        find_image(found_engine, "harness-test-no-such-image:1")
    assert "docker images" in caught.value.fix


def test_a_command_that_the_image_lacks(target, build_image):
    image = build_image("no-command", 'FROM ${BASE}\nENTRYPOINT ["no-such-executable"]\n')
    error = fails(target(image=image))
    assert "no-such-executable" in str(error)


def test_an_image_without_any_command(target, build_image):
    image = build_image("no-cmd", "FROM ${BASE}\nENTRYPOINT []\nCMD []\n")
    assert "no command" in str(fails(target(image=image))).lower()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("no-user", "USER nosuchuser"),
        ("is-folder", 'CMD ["/etc"]'),
    ],
)
def test_an_image_that_cannot_start_is_to_blame_whatever_the_engine_calls_it(target, build_image, name, line):
    image = build_image(name, f'FROM ${{BASE}}\nENTRYPOINT []\nCMD ["python3"]\n{line}\n')
    assert "the container could not be started" in str(fails(target(image=image)))


def test_it_exits_at_once_with_a_message(target):
    error = fails(target("exit"))
    assert "exit code 3" in str(error)
    assert "no model file at /model.onnx" in error.logs


def test_it_never_gets_ready(target):
    error = fails(target("never-ready", ready_timeout_s=1.5))
    assert "not ready within 1.5 s" in str(error)
    assert "GET /ready on port 8080" in str(error)
    assert "still loading" in error.logs


def test_it_listens_on_another_port(target):
    error = fails(target("other-port", ready_timeout_s=1.5))
    assert "port 8080" in str(error)
    assert "service.port" in error.fix


def test_it_answers_garbage(target):
    assert "RemoteProtocolError" in str(fails(target("garbage", ready_timeout_s=1.5)))


def test_it_answers_another_status_than_declared(target):
    error = fails(target(ready_path="/nothing-here", ready_timeout_s=1.5))
    assert "GET /nothing-here on port 8080 gave status 404" in str(error)


def test_it_runs_out_of_memory_at_start(target):
    assert "out of memory" in str(fails(target("eat", memory="32m")))


def test_it_runs_out_of_memory_later(target):
    with target(memory="32m") as endpoint:
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{endpoint.base_url}/eat", timeout=20)
        assert died_within(endpoint, 5)


def test_it_dies_and_its_last_words_are_kept(target):
    with target() as endpoint:
        assert endpoint.alive()
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"{endpoint.base_url}/die", timeout=5)
        assert died_within(endpoint, 5)
        assert "last words of the tiny service" in endpoint.logs()


def test_one_that_ignores_sigterm_is_removed_all_the_same(target):
    started = time.monotonic()
    with target("deaf"):
        pass
    assert time.monotonic() - started < BOUND_S


def test_it_is_removed_when_the_body_raises(target):
    with pytest.raises(ZeroDivisionError), target():
        raise ZeroDivisionError
