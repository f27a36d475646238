"""Mistakes of the user come up before an engine is asked for, an image built or a target started."""

import pytest

from harness.errors import ConfigError, UsageError
from harness.gate import GateRequest, gate

GATE = """
schema_version = 1
name = "tiny"
[service]
port = 8000
ready_path = "/ready"
[auth]
keys = ["caller"]
[scenarios]
auth = ["auth.toml"]
"""
SCENARIO = """
[[scenario]]
id = "a"
title = "A"
[[scenario.steps]]
method = "GET"
path = "/"
expect = { status = %s }
"""
NO_ENGINE = {"DOCKER_HOST": "unix:///no/such/socket"}


@pytest.fixture
def ask(tmp_path):
    def ask(*, status="200", **request):
        (tmp_path / "gate.toml").write_text(GATE)
        (tmp_path / "auth.toml").write_text(SCENARIO % status)
        request = GateRequest(config=tmp_path / "gate.toml", out=tmp_path / "reports", **request)
        return gate(request, NO_ENGINE, lambda _event: None)

    return ask


def test_a_mistake_in_a_scenario(ask):
    with pytest.raises(ConfigError, match=r"auth\.toml"):
        ask(candidate="service:1", status="999")


@pytest.mark.parametrize("role", ["candidate", "reference"])
def test_a_url_with_a_password(ask, role):
    named = {"candidate": "service:1", "reference": "service:0", role: "https://me:hunter2@host/"}
    with pytest.raises(UsageError, match="has a user name or password") as caught:
        ask(**named)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("role", ["candidate", "reference"])
@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_not_the_folder_one_is_in(ask, role, name):
    named = {"candidate": "service:1", "reference": "service:0", role: name}
    with pytest.raises(UsageError, match=f"--{role} is empty"):
        ask(**named)


def test_an_image_beside_a_url_needs_the_secrets_of_the_url(ask):
    with pytest.raises(UsageError, match="GATE_KEY_CALLER is not set"):
        ask(candidate="service:1", reference="https://host")


def test_a_suite_for_cpus_alone(ask):
    with pytest.raises(ConfigError, match=r"service\.gpu: required with --device gpu.*CPUs alone"):
        ask(candidate="service:1", reference="none", gpu=True)


def test_a_gpu_that_nothing_would_show(ask, monkeypatch):
    monkeypatch.setitem(globals(), "GATE", GATE + "[service.gpu]\n")
    with pytest.raises(ConfigError, match=r"service\.metadata\.execution_provider"):
        ask(candidate="service:1", reference="none", gpu=True)
