"""``[service]`` and ``[auth]`` from the command line and the user's file."""

import pytest

from harness.errors import ConfigError, UsageError
from harness.suite_init.declared import Declared, Given

FILE = """
# what it needs
[service.environment]
MODE = "fast"   # kept

[service.files.keys]
path = "/run/keys"
content = "${key.caller.sha256}"

[auth]
keys = ["caller"]

[auth.credentials.caller]
headers = { X-API-Key = "${key.caller}" }
"""


def test_headers_become_one_credential_and_their_keys_are_declared():
    given = Given(headers=["X-API-Key: ${key.one}", "Authorization: Bearer ${key.two}"], port=80, ready="/up")
    declared = Declared(given)
    config = declared.suite("x").config
    assert config.auth.keys == ("one", "two")
    assert declared.credential == "caller"
    assert config.auth.credentials["caller"].headers == {
        "X-API-Key": "${key.one}",
        "Authorization": "Bearer ${key.two}",
    }
    assert (config.service.port, config.service.ready_path) == (80, "/up")


def test_a_file_keeps_its_comments_and_takes_options(tmp_path):
    file = tmp_path / "service.toml"
    file.write_text(FILE)
    declared = Declared(Given(file=file, environment=["LEVEL=a=b", "KEY=${key.caller}"]))
    declared.set("port", 80)
    assert not declared.has("ready_path")
    declared.set("ready_path", "/up")
    assert "# what it needs" in declared.text
    assert "# kept" in declared.text
    service = declared.suite("x").config.service
    assert service.environment == {"MODE": "fast", "LEVEL": "a=b", "KEY": "${key.caller}"}
    assert (service.port, service.ready_path) == (80, "/up")
    assert declared.credential == "caller"


@pytest.mark.parametrize(
    "header", ["X-API-Key: secret", "X-API-Key ${key.a}", "a b: ${key.a}", "X: ${key.A}", ""]
)
def test_a_header_without_a_placeholder_is_refused_and_not_repeated(header):
    with pytest.raises(UsageError) as refused:
        Declared(Given(headers=[header]))
    assert "secret" not in str(refused.value)
    assert "GATE_KEY_CALLER" in refused.value.fix


@pytest.mark.parametrize(
    "name", ["TOKEN", "API_KEY", "apikey", "DB_PASSWORD", "DB_PASSWORD_2", "SECRET_KEY", "CLIENT_SECRET"]
)
def test_a_secret_of_the_environment_in_clear_is_refused_and_not_repeated(name):
    with pytest.raises(UsageError, match=f"--env {name}") as refused:
        Declared(Given(environment=[f"{name}=sk-very-own"]))
    assert "sk-very-own" not in f"{refused.value} {refused.value.fix}"
    assert f"{name}=${{key.caller}}" in refused.value.fix
    assert "--service" in refused.value.fix


@pytest.mark.parametrize(
    "assignment",
    ["TOKEN=Bearer ${key.caller}", "TOKEN=", "MAX_TOKENS=512", "TOKENIZER=fast", "KEY_FILE=/run/keys.json"],
)
def test_what_is_no_secret_in_clear_is_declared(assignment):
    name, _, value = assignment.partition("=")
    declared = Declared(Given(headers=["X-Key: ${key.caller}"], environment=[assignment]))
    assert declared.suite("x").config.service.environment == {name: value}


def test_the_file_may_say_that_it_is_no_secret(tmp_path):
    file = tmp_path / "service.toml"
    file.write_text('[service.environment]\nPAD_TOKEN = "<pad>"\n')
    assert Declared(Given(file=file)).suite("x").config.service.environment == {"PAD_TOKEN": "<pad>"}


@pytest.mark.parametrize("text", ["service = 1", "[golden]\npath = 'x'", "[service", "[service]\nport = 'x'"])
def test_a_file_that_is_not_for_this(tmp_path, text):
    file = tmp_path / "service.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        Declared(Given(file=file)).suite("x")
    assert str(file) in str(refused.value)
