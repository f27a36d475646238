"""Names in templates are known before anything is started."""

import pytest

from harness.config.suite import parse_suite
from harness.errors import ConfigError

GATE = """
schema_version = 1
name = "s"
[service]
port = 1
ready_path = "/"
environment = { A = "%(environment)s" }
[service.gpu]
environment = { B = "%(gpu)s" }
[service.files.f]
path = "/f"
content = "%(file)s"
[service.companions.store]
image = "redis"
port = 6379
environment = { C = "%(companion)s" }
files = { g = { path = "/g", content = "%(companion_file)s" } }
[service.process]
command = ["%(command)s"]
[auth]
keys = ["one"]
[auth.signers.issuer]
[auth.credentials.c]
headers = { X = "%(header)s" }
[auth.credentials.t]
headers = { X = "%(token_header)s" }
token = { signer = "%(signer)s" }
"""
RIGHT = {
    "environment": "${key.one} ${host} ${port} ${device} ${file.f}",
    "gpu": "${key.one} ${host} ${port} ${device} ${file.f}",
    "file": "${key.one.sha256} ${signer.issuer.public_key_pem} ${signer.issuer.jwk} ${signer.issuer.jwks}",
    "companion": "${key.one} ${file.g}",
    "companion_file": "${key.one.sha256}",
    "command": "${python} ${file.f}",
    "header": "${key.one}",
    "token_header": "Bearer ${token}",
    "signer": "issuer",
}


def parse(**changed):
    return parse_suite(GATE % {**RIGHT, **changed}, "the/suite.toml")


def test_all_that_the_documentation_names_is_known():
    parse()


@pytest.mark.parametrize(
    ("part", "text", "key"),
    [
        ("environment", "${key.nope}", "service.environment.A"),
        ("environment", "${python}", "service.environment.A"),
        ("gpu", "${key.nope}", "service.gpu.environment.B"),
        ("gpu", "${python}", "service.gpu.environment.B"),
        ("companion", "${port}", "service.companions.store.environment.C"),
        ("companion", "${file.f}", "service.companions.store.environment.C"),
        ("companion_file", "${file.g}", "service.companions.store.files.g.content"),
        ("file", "${file.f}", "service.files.f.content"),
        ("command", "${pyton}", "service.process.command.0"),
        ("command", "${key.one}", "service.process.command.0"),
        ("header", "${key.nope}", "auth.credentials.c.headers.X"),
        ("header", "Bearer ${token}", "auth.credentials.c.headers.X"),
        ("token_header", "${tokn}", "auth.credentials.t.headers.X"),
        ("signer", "isuer", "auth.credentials.t.token.signer"),
    ],
)
def test_a_misspelt_name_is_a_mistake_with_file_key_value_and_what_is_allowed(part, text, key):
    with pytest.raises(ConfigError) as caught:
        parse(**{part: text})
    message = str(caught.value)
    assert message.startswith(f"the/suite.toml: {key}: no such ")
    assert text.split()[-1] in message
    assert caught.value.fix.startswith("allowed: ")
