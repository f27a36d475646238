"""What is said of a service that nothing answers for."""

import socket

import pytest

from harness.config.service import ServiceSettings
from harness.errors import TargetError
from harness.suite_init.finding import find_ready
from harness.testing import FakeEndpoint

SERVICE = ServiceSettings(port=1, ready_path="/")


def awaited(port, *, started):
    endpoint = FakeEndpoint(base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(TargetError) as caught:
        find_ready(endpoint, SERVICE, None, timeout_s=0.1, started=started)
    return str(caught.value), caught.value.fix


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def test_a_url_that_refuses_is_asked_about():
    port = free_port()
    message, fix = awaited(port, started=False)
    assert f"GET http://127.0.0.1:{port}/ was refused: nothing listens there" in message
    assert fix.startswith("does the service run?")


def test_a_container_that_refuses_may_listen_on_another_port():
    message, fix = awaited(free_port(), started=True)
    assert "nothing answered at /" in message
    assert "--port" in fix


def test_a_url_that_hangs_up_is_not_said_to_refuse(monkeypatch):
    monkeypatch.setattr("harness.suite_init.finding.PROBE_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        message, fix = awaited(silent.getsockname()[1], started=False)
    assert "nothing answered at /" in message
    assert "run?" not in fix
