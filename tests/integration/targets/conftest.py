"""Targets of the tiny service."""

import secrets

import pytest

from harness.config.service import ServiceSettings
from harness.targets.container import ContainerTarget
from harness.targets.image import find_image

SERVICE = {
    "port": 8080,
    "ready_path": "/ready",
    "ready_timeout_s": 15,
    "memory": "64m",
    "pids": 32,
    "environment": {"PORT": "${port}", "KEY": "${key.caller}"},
}
SECRET = "a-secret-of-this-run"


@pytest.fixture
def target(found_engine, tiny_image, temporary, left_behind):
    """Makes container targets of the tiny service; each must leave nothing."""
    tokens = []

    def make(*command, image=None, values=None, cpuset=None, until_ready=True, **service):
        tokens.append(secrets.token_hex(3))
        settings = {**SERVICE, **service}
        if command:
            settings["command"] = command
        return ContainerTarget(
            engine=found_engine,
            image=find_image(found_engine, image or tiny_image),
            service=ServiceSettings.model_validate(settings),
            values={"key.caller": SECRET, **(values or {})},
            run_id=tokens[-1],
            cpuset=cpuset,
            until_ready=until_ready,
        )

    yield make
    for token in tokens:
        assert left_behind(token=token) == []
    assert list(temporary.iterdir()) == []
